// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The LCM parser under libFuzzer.  Mutations know device trees, as bytes changed
 * at random seldom get past the header; lcm_exercise() says what must hold.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lcm-invariants.h"
#include "mutate-fdt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static const struct lcm_limits limits[] = {
	{.platform = LCM_PLATFORM_X86, .source = true},
	{.platform = LCM_PLATFORM_X86,
	 .nr_modules = 5,
	 .memory_kib = 1 << 20,
	 .max_vcpus = 128,
	 .max_vcpus_pv = 256,
	 .host_cpus = 8,
	 .no_pv32 = true,
	 .strict = true},
	{.platform = LCM_PLATFORM_ARM},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its own size, and aligned. */
	void *blob = malloc(size ? size : 1);

	if (!blob)
		return 0;
	memcpy(blob, data, size);
	(void)lcm_detect(blob, size);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		lcm_exercise(blob, size, &limits[i]);
	free(blob);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	/* One in eight as bytes: header and structure are input, too. */
	size_t result = seed % 8 ? mutate_fdt(data, size, max_size, seed) : 0;

	return result ? result : LLVMFuzzerMutate(data, size, max_size);
}
