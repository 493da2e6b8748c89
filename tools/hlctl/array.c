// SPDX-License-Identifier: LGPL-2.1-or-later
/* Arrays that grow. */
#include "array.h"

#include <string.h>

#include "hlctl.h"

void *array_grow(void *array, size_t nr, size_t size)
{
	char *grown = reallocarray(array, nr + 1, size);

	if (grown)
		memset(grown + nr * size, 0, size);
	else
		no_memory();
	return grown;
}
