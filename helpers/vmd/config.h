/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libxl's configuration of a domain, from the JSON that came with the order. */
#ifndef VMD_CONFIG_H
#define VMD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include <libxl.h>

struct order;
struct toolstack;

/* All of a regular file of 256 KiB at most.  -EINVAL: it is none, is empty, or has a zero byte. */
int config_read_text(int fd, char **ret_text);

/*
 * 0; -EINVAL: it is none, says another UUID than the order, or has what libxl does not take;
 * another negative errno: it cannot be read.  Except with 0, `why` says what is wrong with it.
 * @dir: of what is kept of VMs
 * @ret_config: libxl_domain_config_dispose() whatever is returned
 */
int config_read(struct toolstack *toolstack, const struct order *order, const char *dir,
		libxl_domain_config *ret_config, char *why, size_t size);

/* Whether libxl starts QEMU for it. */
bool config_needs_qemu(const libxl_domain_config *config);

#endif
