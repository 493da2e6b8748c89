// SPDX-License-Identifier: LGPL-2.1-or-later
/* Descriptors that the service manager holds, by sd_notify(). */
#include "fdstore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "message.h"
#include "util.h"

struct fdstore {
	char **names; /* ends with NULL */
	int *fds;     /* -1: taken */
	size_t nr;
};

int fdstore_new(struct fdstore **ret_store)
{
	struct fdstore *store = calloc(1, sizeof(*store));
	int nr;

	if (!store)
		return -ENOMEM;
	nr = sd_listen_fds_with_names(1, &store->names);
	if (nr < 0) {
		free(store);
		return nr;
	}
	store->nr = (size_t)nr;
	store->fds = calloc(store->nr + 1, sizeof(*store->fds));
	if (!store->fds) {
		store->nr = 0;
		fdstore_free(store);
		return -ENOMEM;
	}
	for (size_t i = 0; i < store->nr; i++)
		store->fds[i] = SD_LISTEN_FDS_START + (int)i;
	*ret_store = store;
	return 0;
}

struct fdstore *fdstore_free(struct fdstore *store)
{
	if (!store)
		return NULL;
	for (size_t i = 0; i < store->nr; i++) {
		if (store->fds[i] >= 0) {
			fdstore_forget(store->names[i]);
			close(store->fds[i]);
		}
	}
	for (size_t i = 0; store->names && store->names[i]; i++)
		free(store->names[i]);
	free(store->names);
	free(store->fds);
	free(store);
	return NULL;
}

int fdstore_take(struct fdstore *store, const char *name)
{
	for (size_t i = 0; i < store->nr; i++)
		if (store->fds[i] >= 0 && strcmp(store->names[i], name) == 0)
			return steal_fd(&store->fds[i]);
	return -1;
}

const char *fdstore_find(const struct fdstore *store, const char *prefix)
{
	for (size_t i = 0; i < store->nr; i++)
		if (store->fds[i] >= 0 && strncmp(store->names[i], prefix, strlen(prefix)) == 0)
			return store->names[i];
	return NULL;
}

void fdstore_hold(const char *name, int fd)
{
	char state[128];
	int r;

	snprintf(state, sizeof(state), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	r = sd_pid_notify_with_fds(0, 0, state, &fd, 1);
	if (r < 0)
		message(LOG_WARNING,
			"the service manager does not hold %s: %s; a restart will lose it", name,
			strerror(-r));
}

void fdstore_forget(const char *name)
{
	char state[128];

	snprintf(state, sizeof(state), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	(void)sd_notify(0, state);
}
