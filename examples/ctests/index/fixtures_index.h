#ifndef FIXTURES_INDEX_H
#define FIXTURES_INDEX_H

#include "index.h"

#include <run_matrix.h>

/* Made once; each test has a copy of its own, by the fork that makes its process. */
FIXTURE(library, .scope = MX_SESSION, .timeout = "30s")
{
    struct index *index;
};

/* Made for each test that uses it. */
FIXTURE(notebook)
{
    struct index *index;
};

#endif
