/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From what the user calls a domain to its object. */
#ifndef HLCTL_LOOKUP_H
#define HLCTL_LOOKUP_H

#include "hlctl.h"

/* By domid, UUID or handle, or name, in that order.  Reports what is wrong; the caller frees the
 * path. */
enum exit_code lookup_domain(sd_bus *bus, const char *text, char **ret_path);

/* The same, but EXIT_NOT_FOUND is not reported. */
enum exit_code lookup_domain_quietly(sd_bus *bus, const char *text, char **ret_path);

/* The domid in an object's path; UINT32_MAX: it is no domain's, or the domain has none. */
uint32_t lookup_domid(const char *path);

/* The number at the end of a job's path; UINT32_MAX: it is no job's. */
uint32_t lookup_job(const char *path);

/* For a domain that is not there, or no longer. */
enum exit_code lookup_failed(const char *text);

#endif /* HLCTL_LOOKUP_H */
