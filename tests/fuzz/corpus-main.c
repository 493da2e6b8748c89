// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Runs a fuzz target over files, without a fuzzer: first each as it is, then some
 * hundred mutations of it from fixed seeds, so that any compiler's build tests them.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mutate-fdt.h"

#define INPUT_LIMIT (1u << 16)
#define MUTATIONS   200u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* What libFuzzer would do with plain bytes: here, one of them. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005u + 1442695040888963407u;
	if (size)
		data[(state >> 33) % size] ^= (uint8_t)(1 + (state >> 24) % 255);
	return size;
}

static void run_file(const char *path)
{
	static uint8_t data[INPUT_LIMIT], mutant[INPUT_LIMIT];
	FILE *f = fopen(path, "rb");
	size_t size, length;

	if (!f) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, sizeof(data), f);
	fclose(f);
	LLVMFuzzerTestOneInput(data, size);
	length = size;
	memcpy(mutant, data, size);
	for (unsigned int seed = 1; seed <= MUTATIONS; seed++) {
		/* A chain of mutations, begun anew now and then. */
		if (seed % 20 == 0) {
			memcpy(mutant, data, size);
			length = size;
		}
		length = LLVMFuzzerCustomMutator(mutant, length, sizeof(mutant), seed);
		LLVMFuzzerTestOneInput(mutant, length);
	}
}

static unsigned int run_dir(const char *name)
{
	DIR *dir = opendir(name);
	struct dirent *entry;
	unsigned int nr = 0;
	char path[4096];

	if (!dir) {
		perror(name);
		exit(1);
	}
	while ((entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);

		if (len < 4 || strcmp(entry->d_name + len - 4, ".dtb") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", name, entry->d_name);
		run_file(path);
		nr++;
	}
	closedir(dir);
	return nr;
}

int main(int argc, char *argv[])
{
	for (int i = 1; i < argc; i++) {
		unsigned int nr = run_dir(argv[i]);

		if (!nr) {
			fprintf(stderr, "%s: no .dtb\n", argv[i]);
			return 1;
		}
		printf("%s: %u files, %u mutations each\n", argv[i], nr, MUTATIONS);
	}
	return argc < 2;
}
