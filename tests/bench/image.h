/* A process that is as large as a test would have it. */
#ifndef RM_BENCH_IMAGE_H
#define RM_BENCH_IMAGE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define IMAGE_HUGE_PAGE (2u << 20)

/* As many megabytes as BENCH_IMAGE says, all of them touched; in huge pages when there is a BENCH_HUGE. */
static inline void image_make(void)
{
    const char *words = getenv("BENCH_IMAGE");
    size_t size = words ? strtoul(words, NULL, 10) << 20 : 0;
    char *image;

    if (!size)
        return;
    image = aligned_alloc(IMAGE_HUGE_PAGE, size);
    if (!image || madvise(image, size, getenv("BENCH_HUGE") ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) < 0) {
        perror("an image");
        exit(1);
    }
    for (size_t at = 0; at < size; at += 4096)
        ((volatile char *)image)[at] = 1;
}

#endif
