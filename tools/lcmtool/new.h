/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The templates of `lcmtool new`, which embed.py generates from examples/. */
#ifndef LCMTOOL_NEW_H
#define LCMTOOL_NEW_H

#include <stddef.h>

struct template
{
	const char *name, *title;
	const char *launch; /* launch.dts */
	const char *config; /* bootdom.conf; NULL: none */
};

extern const struct template templates[];
extern const size_t nr_templates;

#endif /* LCMTOOL_NEW_H */
