/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arrays that grow; no memory ends the program. */
#ifndef HLCTL_ARRAY_H
#define HLCTL_ARRAY_H

#include <stddef.h>

/* Returns the array with one more element, zeroed, at its end. */
void *array_grow(void *array, size_t nr, size_t size);

#endif /* HLCTL_ARRAY_H */
