// SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause)
/* The list of warnings in struct lcm, which other files of the parser fill. */
#include "lcm-internal.h"

void __init lcm_warn(struct lcm *lcm, enum lcm_warn code, int node,
                     const char *prop, uint64_t value)
{
    struct lcm_warning *warning;

    if ( lcm->nr_warnings == LCM_MAX_WARNINGS )
    {
        /* The last one stands for all that do not fit. */
        warning = &lcm->warnings[LCM_MAX_WARNINGS - 1];
        code = LCM_WARN_LOST;
        node = LCM_NONE;
        prop = NULL;
        value = 0;
    }
    else
        warning = &lcm->warnings[lcm->nr_warnings++];

    warning->code = code;
    warning->node = node;
    warning->prop = prop;
    warning->meant = NULL;
    warning->value = value;
}
