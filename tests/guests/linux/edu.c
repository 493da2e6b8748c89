/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * edu FROM TO: has QEMU's edu device copy a page, from one address on the bus into the
 * device and from there to the other address.  Run where the device is.  Exit code 0: the
 * device says that it is done, which it says too of what the IOMMU kept it from.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EDU_SIZE	  0x100000
#define BUFFER		  0x40000 /* of the device, as its DMA engine numbers it */
#define DMA_FROM	  0x80
#define DMA_TO		  0x88
#define DMA_COUNT	  0x90
#define DMA_COMMAND	  0x98
#define START		  1
#define OUTWARDS	  2 /* from the device to the bus */
#define PAGE		  4096
#define PCI_COMMAND	  4
#define MEMORY_AND_MASTER 6

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int open_part(const char *device, const char *part, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", device, part);
	fd = open(path, flags);
	if (fd < 0)
		fail(path);
	return fd;
}

static int is_edu(const char *device)
{
	char id[16] = "";
	int fd = open_part(device, "device", O_RDONLY);
	ssize_t n = read(fd, id, sizeof(id) - 1);

	close(fd);
	return n > 0 && !strcmp(id, "0x11e8\n");
}

/* Its registers, after it was let do what it wants. */
static volatile uint8_t *open_edu(const char *device)
{
	uint16_t command = MEMORY_AND_MASTER;
	void *registers;
	int fd = open_part(device, "enable", O_WRONLY);

	if (write(fd, "1", 1) != 1)
		fail("enable");
	close(fd);
	fd = open_part(device, "config", O_RDWR);
	if (pwrite(fd, &command, sizeof(command), PCI_COMMAND) != sizeof(command))
		fail("config");
	close(fd);
	fd = open_part(device, "resource0", O_RDWR);
	registers = mmap(NULL, EDU_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (registers == MAP_FAILED)
		fail("resource0");
	return registers;
}

static volatile uint8_t *find_edu(void)
{
	glob_t found;

	if (glob("/sys/bus/pci/devices/*", 0, NULL, &found))
		fail("no devices");
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (is_edu(found.gl_pathv[i]))
			return open_edu(found.gl_pathv[i]);
	fprintf(stderr, "no edu device\n");
	exit(1);
}

static void transfer(volatile uint8_t *edu, uint64_t from, uint64_t to, uint64_t direction)
{
	*(volatile uint64_t *)(edu + DMA_FROM) = from;
	*(volatile uint64_t *)(edu + DMA_TO) = to;
	*(volatile uint64_t *)(edu + DMA_COUNT) = PAGE;
	*(volatile uint64_t *)(edu + DMA_COMMAND) = START | direction;
	while (*(volatile uint64_t *)(edu + DMA_COMMAND) & START)
		;
}

int main(int argc, char **argv)
{
	volatile uint8_t *edu;

	if (argc != 3) {
		fprintf(stderr, "usage: edu FROM TO\n");
		return 2;
	}
	edu = find_edu();
	transfer(edu, strtoull(argv[1], NULL, 0), BUFFER, 0);
	transfer(edu, BUFFER, strtoull(argv[2], NULL, 0), OUTWARDS);
	return 0;
}
