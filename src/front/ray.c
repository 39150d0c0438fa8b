/* ray.c - ids of requests: 16 hexadecimal digits, as a CF-Ray has them.
 *
 * A counter from a random beginning, through a mixing that maps no two numbers to one (the
 * finalizer of splitmix64): within a front no id comes twice, and from one the next cannot be read
 * off at a glance. */
#include <sys/random.h>

#include "base/clock.h"
#include "front/inside.h"

uint64_t ray_new(struct front *front)
{
    uint64_t z;

    if (front->rays == 0 && getrandom(&front->rays, sizeof front->rays, GRND_NONBLOCK) < 0)
        front->rays = (uint64_t)clock_now_us();
    z = ++front->rays * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void ray_print(uint64_t ray, char out[RAY_LEN + 1])
{
    for (int i = RAY_LEN - 1; i >= 0; i--, ray >>= 4)
        out[i] = "0123456789abcdef"[ray & 15];
    out[RAY_LEN] = '\0';
}
