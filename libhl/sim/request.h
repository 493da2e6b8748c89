/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sub-operations that change something, with Xen's permission checks. */
#ifndef LIBHL_SIM_REQUEST_H
#define LIBHL_SIM_REQUEST_H

#include "sim/state.h"

/* The domain that this process would run in, or HL_NO_DOMID. */
uint32_t sim_self(struct sim *sim);

/* As the functions of <hyperlaunch/requests.h> that have these names; backend is a struct sim. */
int sim_request_console(void *backend, uint32_t domid, uint32_t loan_ms);
int sim_request_console_backend(void *backend, uint32_t domid, uint32_t port, uint32_t server);
int sim_request_read_console(void *backend, uint32_t domid, char **ret_text, size_t *ret_size,
			     uint64_t *ret_dropped);
int sim_request_release(void *backend, uint32_t domid);
int sim_request_adopt(void *backend, uint32_t index, uint32_t domid);
int sim_request_pause(void *backend, uint32_t domid);
int sim_request_unpause(void *backend, uint32_t domid);
int sim_request_handle(void *backend, uint32_t domid, const uint8_t handle[16]);
int sim_request_ready(void *backend);

#endif /* LIBHL_SIM_REQUEST_H */
