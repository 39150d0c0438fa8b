/* herd_hoard.c - the heaviest goes first, and only as many as must. */
#include "herd/hoard.h"

#include "test.h"

static struct hoard_item items[3];
static unsigned ended[3];

static void on_end(void *self)
{
    ended[(struct hoard_item *)self - items]++;
}

static void the_heaviest_goes_first_and_only_as_many_as_must(void)
{
    struct hoard *hoard = hoard_new(100);

    for (int i = 0; i < 3; i++)
        hoard_item_init(&items[i], on_end, &items[i]);
    hoard_say(hoard, &items[0], 30);
    hoard_say(hoard, &items[1], 50);
    CHECK(hoard->bytes == 80 && ended[0] + ended[1] == 0);
    hoard_say(hoard, &items[2], 21);
    CHECK(ended[1] == 1 && ended[0] + ended[2] == 0 && hoard->bytes == 51 && hoard->ended == 1);
    hoard_say(hoard, &items[2], 500);
    CHECK(ended[2] == 1 && ended[0] == 0 && hoard->bytes == 30 && hoard->peak_bytes == 530);
    hoard_drop(hoard, &items[0]);
    hoard_drop(hoard, &items[0]);
    CHECK(hoard->bytes == 0);
    hoard_free(hoard);
}

static void who_is_in_no_hoard_weighs_nothing(void)
{
    hoard_item_init(&items[0], on_end, &items[0]);
    hoard_say(NULL, &items[0], 1000);
    hoard_drop(NULL, &items[0]);
    CHECK(items[0].bytes == 0);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"the_heaviest_goes_first_and_only_as_many_as_must", the_heaviest_goes_first_and_only_as_many_as_must},
        {"who_is_in_no_hoard_weighs_nothing", who_is_in_no_hoard_weighs_nothing},
        {0},
    };

    return test_main("herd_hoard", TESTS, argc, argv);
}
