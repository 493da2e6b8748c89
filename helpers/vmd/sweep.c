// SPDX-License-Identifier: LGPL-2.1-or-later
/* libxl removes what is its own domain's; elsewhere whoever serves the device removes no more than
 * that. */
#include "sweep.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "common/cleanup.h"

#define PREFIX	  "/local/domain/"
#define PATH_SIZE 256

static void xs_closep(struct xs_handle **xs)
{
	if (*xs)
		xs_close(*xs);
}

/* Only a path of the form in which libxl makes them: .../backend/KIND/DOMID/DEVICE. */
static bool is_backend(const char *path, uint32_t domid)
{
	const char *device = strrchr(path, '/');
	char frontend[16];
	ptrdiff_t length = snprintf(frontend, sizeof(frontend), "/%" PRIu32, domid);

	return device && device - path > length && strncmp(path, PREFIX, strlen(PREFIX)) == 0 &&
	       strstr(path, "/backend/") && strncmp(device - length, frontend, (size_t)length) == 0;
}

static void add(struct sweep *sweep, char *path)
{
	char **grown = reallocarray(sweep->dirs, sweep->nr + 1, sizeof(*grown));

	if (!grown)
		return;
	sweep->dirs = grown;
	*strrchr(path, '/') = '\0';
	sweep->dirs[sweep->nr] = strdup(path);
	if (sweep->dirs[sweep->nr])
		sweep->nr++;
}

static void note_device(struct xs_handle *xs, uint32_t domid, const char *kind, const char *device,
			struct sweep *sweep)
{
	_cleanup_(freep) char *backend = NULL;
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/libxl/%" PRIu32 "/device/%.64s/%.64s/backend", domid, kind,
		 device);
	backend = xs_read(xs, XBT_NULL, path, NULL);
	if (backend && is_backend(backend, domid))
		add(sweep, backend);
}

static void note_kind(struct xs_handle *xs, uint32_t domid, const char *kind, struct sweep *sweep)
{
	_cleanup_(freep) char **devices = NULL;
	char path[PATH_SIZE];
	unsigned int nr = 0;

	snprintf(path, sizeof(path), "/libxl/%" PRIu32 "/device/%.64s", domid, kind);
	devices = xs_directory(xs, XBT_NULL, path, &nr);
	for (unsigned int i = 0; devices && i < nr; i++)
		note_device(xs, domid, kind, devices[i], sweep);
}

void sweep_begin(uint32_t domid, struct sweep *ret_sweep)
{
	_cleanup_(xs_closep) struct xs_handle *xs = xs_open(0);
	_cleanup_(freep) char **kinds = NULL;
	char path[PATH_SIZE];
	unsigned int nr = 0;

	*ret_sweep = (struct sweep){.nr = 0};
	if (!xs)
		return;
	snprintf(path, sizeof(path), "/libxl/%" PRIu32 "/device", domid);
	kinds = xs_directory(xs, XBT_NULL, path, &nr);
	for (unsigned int i = 0; kinds && i < nr; i++)
		note_kind(xs, domid, kinds[i], ret_sweep);
}

/* What is in use again, or still, is left alone. */
static void remove_empty(struct xs_handle *xs, const char *dir)
{
	_cleanup_(freep) char **left = NULL;
	unsigned int nr = 0;

	left = xs_directory(xs, XBT_NULL, dir, &nr);
	if (left && nr == 0 && !xs_rm(xs, XBT_NULL, dir))
		fprintf(stderr, "<5>%s stays in xenstore: %m\n", dir);
}

void sweep_end(struct sweep *sweep)
{
	_cleanup_(xs_closep) struct xs_handle *xs = sweep->nr > 0 ? xs_open(0) : NULL;

	for (size_t i = 0; i < sweep->nr; i++) {
		if (xs)
			remove_empty(xs, sweep->dirs[i]);
		free(sweep->dirs[i]);
	}
	free(sweep->dirs);
	*sweep = (struct sweep){.nr = 0};
}
