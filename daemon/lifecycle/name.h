/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which names a domain can get. */
#ifndef HYPERLAUNCHD_LIFECYCLE_NAME_H
#define HYPERLAUNCHD_LIFECYCLE_NAME_H

/* Why no domain can have that name; NULL: one can. */
const char *name_refusal(const char *name);

#endif
