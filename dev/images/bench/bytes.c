/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * bench-bytes: prints what clearing and copying costs on this machine, as
 * "clear NS copy NS", nanoseconds for each MiB.  Eight bytes by an instruction, as
 * Xen does it on a processor without faster string instructions; nothing of Xen's,
 * so it is a measure for what Xen does beside that.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define MIB  16UL
#define SIZE (MIB << 20)

static int64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void clear(void *to)
{
	unsigned long words = SIZE / 8;

	asm volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(0UL) : "memory");
}

static void copy(void *to, const void *from)
{
	unsigned long words = SIZE / 8;

	asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

int main(void)
{
	char *memory =
		mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int64_t start, cleared, copied;

	if (memory == MAP_FAILED) {
		perror("bench-bytes: mmap");
		return 1;
	}
	memset(memory, 1, 2 * SIZE);
	start = monotonic_ns();
	clear(memory);
	cleared = monotonic_ns();
	copy(memory, memory + SIZE);
	copied = monotonic_ns();
	printf("clear %" PRId64 " copy %" PRId64 "\n", (cleared - start) / (int64_t)MIB,
	       (copied - cleared) / (int64_t)MIB);
	return 0;
}
