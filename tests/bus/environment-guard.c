// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Preloaded by a test: the process ends when its environment is changed after a thread
 * was made, since that thread may be reading it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_bool threaded;

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
		dlsym(RTLD_NEXT, "pthread_create");

	if (!threaded)
		fprintf(stderr, "environment-guard: the first thread\n");
	threaded = true;
	return real(thread, attr, start, arg);
}

static void check(const char *function)
{
	if (!threaded)
		return;
	fprintf(stderr, "environment-guard: %s() beside threads\n", function);
	abort();
}

int setenv(const char *name, const char *value, int overwrite)
{
	int (*real)(const char *, const char *, int) = dlsym(RTLD_NEXT, "setenv");

	check("setenv");
	return real(name, value, overwrite);
}

int unsetenv(const char *name)
{
	int (*real)(const char *) = dlsym(RTLD_NEXT, "unsetenv");

	check("unsetenv");
	return real(name);
}

int putenv(char *string)
{
	int (*real)(char *) = dlsym(RTLD_NEXT, "putenv");

	check("putenv");
	return real(string);
}
