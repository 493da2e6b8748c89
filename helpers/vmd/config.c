// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reads the configuration, and adds what only a process has: descriptors. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "order.h"
#include "survive.h"
#include "toolstack.h"

#define CONFIG_MAX (256 << 10)

int config_read_text(int fd, char **ret_text)
{
	_cleanup_(freep) char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > CONFIG_MAX)
		return -EINVAL;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	n = pread(fd, text, (size_t)st.st_size, 0);
	if (n != st.st_size)
		return n < 0 ? -errno : -EIO;
	text[n] = '\0';
	if (strlen(text) != (size_t)n)
		return -EINVAL;
	*ret_text = steal(&text);
	return 0;
}

/* libxl ignores what it does not know, and values of another type: compare what it has read. */
static int compare(struct toolstack *toolstack, const char *text, libxl_domain_config *config,
		   char *why, size_t size)
{
	_cleanup_(freep) char *taken = libxl_domain_config_to_json(toolstack->ctx, config);
	char path[128];
	int r = survive_check_text(text, taken, path, sizeof(path));

	if (r == -ENOENT)
		snprintf(why, size, "libxl does not take the value of %s", path);
	else if (r < 0)
		snprintf(why, size, "the configuration is no JSON object");
	return r < 0 ? -EINVAL : 0;
}

/* libxl opens modules by name, in this process; of a domain with a device model QEMU does it. */
static int name_module(int fd, bool hvm, const char *dir, const struct order *order,
		       const char *name, char **to)
{
	char path[PATH_MAX];
	int length;

	if (fd < 0)
		return 0;
	if (hvm && !order->keep && order->verb == ORDER_CREATE)
		return -EINVAL;
	length = hvm ? snprintf(path, sizeof(path), "%s/%s/%s", dir, order->uuid_text, name)
		     : snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (length >= (int)sizeof(path))
		return -ENAMETOOLONG;
	free(*to);
	*to = strdup(path);
	return *to ? 0 : -ENOMEM;
}

static int complete(const struct order *order, const char *dir, libxl_domain_config *config)
{
	bool hvm = config->c_info.type == LIBXL_DOMAIN_TYPE_HVM;
	int r = name_module(order->kernel, hvm, dir, order, "kernel", &config->b_info.kernel);

	/* A lack of memory fails before the domain is filled. */
	libxl_defbool_set(&config->b_info.claim_mode, true);
	return r < 0 ? r
		     : name_module(order->ramdisk, hvm, dir, order, "ramdisk",
				   &config->b_info.ramdisk);
}

bool config_needs_qemu(const libxl_domain_config *config)
{
	for (int i = 0; i < config->num_disks; i++)
		if (config->disks[i].backend == LIBXL_DISK_BACKEND_QDISK)
			return true;
	return config->c_info.type == LIBXL_DOMAIN_TYPE_HVM;
}

int config_read(struct toolstack *toolstack, const struct order *order, const char *dir,
		libxl_domain_config *ret_config, char *why, size_t size)
{
	_cleanup_(freep) char *text = NULL;
	int r = config_read_text(order->config, &text);

	libxl_domain_config_init(ret_config);
	snprintf(why, size, "the configuration cannot be read: %s", strerror(r < 0 ? -r : 0));
	if (r < 0)
		return r;
	toolstack_forget(toolstack);
	if (libxl_domain_config_from_json(toolstack->ctx, ret_config, text) != 0) {
		snprintf(why, size, "%s", toolstack_problem(toolstack, ERROR_INVAL));
		return -EINVAL;
	}
	r = compare(toolstack, text, ret_config, why, size);
	if (r < 0)
		return r;
	if (memcmp(ret_config->c_info.uuid.uuid, order->uuid, 16) != 0) {
		snprintf(why, size, "the configuration has another UUID than the order");
		return -EINVAL;
	}
	r = complete(order, dir, ret_config);
	snprintf(why, size, "kernel and ramdisk cannot be passed to QEMU: %s",
		 strerror(r < 0 ? -r : 0));
	return r;
}
