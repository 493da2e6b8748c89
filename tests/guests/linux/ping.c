/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ping SECONDS NAME...: run in the control domain; pings these names on the system bus in turn, so
 * that all of them meet the same load, and prints a line of each: its name, how many answers came,
 * and the median and the 99th percentile in microseconds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>

#define MAX_NAMES 4
#define MAX_TIMES 100000

static uint32_t times[MAX_NAMES][MAX_TIMES];

static uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int ping(sd_bus *bus, const char *name)
{
	return sd_bus_call_method(bus, name, "/", "org.freedesktop.DBus.Peer", "Ping", NULL, NULL,
				  NULL);
}

int main(int argc, char **argv)
{
	int nr_names = argc - 2;
	size_t nr = 0;
	uint64_t end;
	sd_bus *bus;

	if (nr_names < 1 || nr_names > MAX_NAMES || sd_bus_open_system(&bus) < 0)
		return 2;
	end = now_usec() + strtoull(argv[1], NULL, 10) * 1000000;
	for (; nr < MAX_TIMES && now_usec() < end; nr++) {
		for (int i = 0; i < nr_names; i++) {
			uint64_t begin = now_usec();

			if (ping(bus, argv[2 + i]) < 0) {
				printf("%s does not answer\n", argv[2 + i]);
				return 1;
			}
			times[i][nr] = (uint32_t)(now_usec() - begin);
		}
	}
	for (int i = 0; nr > 0 && i < nr_names; i++) {
		qsort(times[i], nr, sizeof(times[i][0]), compare);
		printf("%s %zu %u %u\n", argv[2 + i], nr, times[i][nr / 2],
		       times[i][nr * 99 / 100]);
	}
	return 0;
}
