/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* polkit's agent, by which it asks the user on the terminal. */
#ifndef HLCTL_AGENT_H
#define HLCTL_AGENT_H

#include "hlctl.h"

/*
 * Returns once polkit knows the agent.  None is started where the user is root, works on another
 * host or is not to be asked, or where standard input is no terminal; nor is it an error if it
 * cannot be started.
 */
void agent_start(const struct options *options);
void agent_stop(void);

#endif /* HLCTL_AGENT_H */
