// SPDX-License-Identifier: LGPL-2.1-or-later
#include "launch/handle.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <xenctrl.h>

int domain_handle_random(uint8_t ret_uuid[16])
{
	uint8_t uuid[16];

	/* So few bytes come whole or not at all. */
	if (getrandom(uuid, sizeof(uuid), 0) != (ssize_t)sizeof(uuid))
		return errno > 0 ? -errno : -EIO;
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	memcpy(ret_uuid, uuid, sizeof(uuid));
	return 0;
}

int domain_handle_set(uint32_t domid, const uint8_t uuid[16])
{
	xc_interface *xch = xc_interface_open(NULL, NULL, 0);
	xen_domain_handle_t handle;
	int r = 0;

	if (!xch)
		return errno > 0 ? -errno : -EIO;
	memcpy(handle, uuid, sizeof(handle));
	if (xc_domain_sethandle(xch, domid, handle) < 0)
		r = errno > 0 ? -errno : -EIO;
	xc_interface_close(xch);
	return r;
}
