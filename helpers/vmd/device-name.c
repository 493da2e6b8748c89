// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names of disks and NICs. */
#include "device-name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "common/cleanup.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS	"0123456789"

/* Up to two letters for the disk, and up to two digits for the partition. */
bool device_name_is_disk(const char *name)
{
	static const char *const prefixes[] = {"xvd", "sd", "hd"};
	size_t letters = 0, digits;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes) && letters == 0; i++) {
		size_t length = strlen(prefixes[i]);

		if (strncmp(name, prefixes[i], length) != 0)
			continue;
		name += length;
		letters = strspn(name, LETTERS);
	}
	if (letters < 1 || letters > 2 || name[letters] == '0')
		return false;
	digits = strspn(name + letters, DIGITS);
	return digits <= 2 && name[letters + digits] == '\0';
}

bool device_name_is_nic(const char *name, int devid, const uint8_t mac[6])
{
	char text[DEVICE_NAME_MAC_SIZE];

	snprintf(text, sizeof(text), "%d", devid);
	if (strcmp(name, text) == 0)
		return true;
	device_name_of_mac(mac, text);
	return strcasecmp(name, text) == 0;
}

bool device_name_is_no_mac(const uint8_t mac[6])
{
	static const uint8_t none[6];

	return memcmp(mac, none, sizeof(none)) == 0;
}

/* 00:16:3e is assigned to Xen; the upper half of it is left to other makers of them. */
int device_name_make_mac(uint8_t ret_mac[6])
{
	uint8_t mac[6] = {0x00, 0x16, 0x3e};

	/* getrandom() returns so few bytes all at once, or fails. */
	if (getrandom(mac + 3, 3, 0) != 3)
		return errno > 0 ? -errno : -EIO;
	mac[3] &= 0x7f;
	memcpy(ret_mac, mac, sizeof(mac));
	return 0;
}

void device_name_of_mac(const uint8_t mac[6], char ret_name[DEVICE_NAME_MAC_SIZE])
{
	snprintf(ret_name, DEVICE_NAME_MAC_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
		 mac[2], mac[3], mac[4], mac[5]);
}
