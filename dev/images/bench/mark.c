/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench-mark [--sync] NAME [WORD...]: writes "BENCH NAME NS WORD..." to Xen's
 * console, NS being this domain's monotonic clock in nanoseconds, and a line
 * "BENCH NAME cpu DOMID NS" for the processor time of each domain so far.  --sync
 * has Xen print a line with its own time stamp as well, so that the two clocks can be
 * held against each other.  Each line is one hypercall: no other output can come
 * between its letters.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xencall.h>
#include <xenctrl.h>

#define MAX_DOMAINS 64
/* Xen prints at most so much at once. */
#define LINE_SIZE 120
/* Its handler prints one line, of the time stamp counter, while there is no guest. */
#define ONE_LINE_KEY "s"

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int say(xencall_handle *xcall, const char *text)
{
	size_t size = strlen(text);
	char *buffer = xencall_alloc_buffer(xcall, size);
	int r;

	if (!buffer)
		return -1;
	memcpy(buffer, text, size);
	r = xencall3(xcall, __HYPERVISOR_console_io, CONSOLEIO_write, size, (uintptr_t)buffer);
	xencall_free_buffer(xcall, buffer);
	return r;
}

static int say_time(xencall_handle *xcall, const char *name, int64_t ns, char **words)
{
	char line[LINE_SIZE];
	int used = snprintf(line, sizeof(line), "\nBENCH %s %" PRId64, name, ns);

	for (; *words && used < LINE_SIZE; words++)
		used += snprintf(line + used, sizeof(line) - used, " %s", *words);
	if (used >= LINE_SIZE - 1) {
		fprintf(stderr, "bench-mark: %s: more than a line\n", name);
		return -1;
	}
	strcpy(line + used, "\n");
	return say(xcall, line);
}

static int say_cpu(xencall_handle *xcall, xc_interface *xch, const char *name)
{
	static xc_domaininfo_t info[MAX_DOMAINS];
	int i, n = xc_domain_getinfolist(xch, 0, MAX_DOMAINS, info);

	if (n < 0)
		return fail("bench-mark: xc_domain_getinfolist");
	for (i = 0; i < n; i++) {
		char line[LINE_SIZE];

		snprintf(line, sizeof(line), "BENCH %s cpu %u %" PRIu64 "\n", name, info[i].domain,
			 info[i].cpu_time);
		if (say(xcall, line))
			return fail("bench-mark: console_io");
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool sync = argc > 1 && !strcmp(argv[1], "--sync");
	char **words = argv + 1 + sync;
	int64_t now = monotonic_ns();
	xencall_handle *xcall;
	xc_interface *xch;

	if (argc < 2 + sync) {
		fprintf(stderr, "usage: bench-mark [--sync] NAME [WORD...]\n");
		return 2;
	}
	xcall = xencall_open(NULL, 0);
	xch = xc_interface_open(NULL, NULL, 0);
	if (!xcall || !xch)
		return fail("bench-mark: no way to ask Xen");
	if (sync) {
		now = monotonic_ns();
		if (xc_send_debug_keys(xch, ONE_LINE_KEY))
			return fail("bench-mark: xc_send_debug_keys");
		now += (monotonic_ns() - now) / 2;
	}
	if (say_time(xcall, words[0], now, words + 1))
		return fail("bench-mark: console_io");
	return say_cpu(xcall, xch, words[0]);
}
