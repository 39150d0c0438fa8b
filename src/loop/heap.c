/* heap.c - look at the heap, and give back its free pages. */
#include "loop/heap.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

int64_t heap_spare(void)
{
    struct mallinfo2 info;
    long long pages, resident, shared;
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return 0;
    n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    if (sscanf(text, "%lld %lld %lld", &pages, &resident, &shared) != 3)
        return 0;
    info = mallinfo2();
    return (resident - shared) * sysconf(_SC_PAGESIZE) - (int64_t)(info.uordblks + info.hblkhd);
}

void heap_look(struct heap *heap)
{
    if (heap_spare() <= HEAP_SPARE) {
        heap->often = 0;
        return;
    }
    /* Once may be the middle of something. */
    if (++heap->often < 2)
        return;
    heap->often = 0;
    heap->given++;
    malloc_trim(HEAP_KEPT);
}

static void on_timer(uv_timer_t *timer)
{
    heap_look(timer->data);
}

void heap_open(struct heap *heap, uv_loop_t *loop)
{
    *heap = (struct heap){0};
    mallopt(M_MMAP_THRESHOLD, HEAP_MAP_FROM);
    mallopt(M_TRIM_THRESHOLD, HEAP_TOP);
    /* Timers cannot fail to start on Linux. */
    (void)uv_timer_init(loop, &heap->timer);
    heap->timer.data = heap;
    uv_timer_start(&heap->timer, on_timer, HEAP_LOOK_MS, HEAP_LOOK_MS);
    uv_unref((uv_handle_t *)&heap->timer);
}

void heap_close(struct heap *heap)
{
    uv_close((uv_handle_t *)&heap->timer, NULL);
}
