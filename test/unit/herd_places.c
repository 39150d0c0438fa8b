/* places.c: who gets a place, who gives way, who waits in which line. */
#include "herd/places.h"

#include "test.h"

struct one {
    struct place place;
    int64_t idle;
    unsigned left;
};

static int64_t idle_of(void *self) { return ((struct one *)self)->idle; }
static void on_leave(void *self) { ((struct one *)self)->left++; }
static void on_wake(void *self) { ++*(unsigned *)self; }

static void put(struct places *places, struct one *one, int64_t idle)
{
    *one = (struct one){.idle = idle};
    place_init(&one->place, idle_of, on_leave, one);
    places_take(places, &one->place);
}

static void the_longest_idle_gives_way_and_the_first_in_line_is_woken(void)
{
    struct places mine;
    struct place_claim claims[2];
    struct one a, b;
    unsigned woken[2] = {0};

    places_init(&mine, 2, NULL);
    for (int i = 0; i < 2; i++)
        place_claim_init(&claims[i], on_wake, &woken[i]);
    CHECK(places_ask(&mine, &claims[0], PLACE_AHEAD));
    put(&mine, &a, 20);
    put(&mine, &b, 10);
    CHECK(!places_ask(&mine, &claims[0], PLACE_AHEAD) && !claims[0].at && a.left + b.left == 0);
    CHECK(!places_ask(&mine, &claims[0], PLACE_FIRST) && b.left == 1 && a.left == 0);
    CHECK(!place_claim_is_stuck(&claims[0]));
    CHECK(!places_ask(&mine, &claims[0], PLACE_FIRST) && a.left == 0); /* one for one */
    CHECK(!places_ask(&mine, &claims[1], PLACE_FIRST) && a.left == 1);
    place_free(&b.place);
    CHECK(woken[0] == 1 && woken[1] == 0);
    CHECK(!places_ask(&mine, &claims[1], PLACE_FIRST)); /* not before the first */
    CHECK(places_ask(&mine, &claims[0], PLACE_FIRST));
    put(&mine, &b, PLACE_STAYS);
    place_claim_drop(&claims[1]);
    place_free(&a.place);
    place_free(&b.place);
    CHECK(mine.count == 0 && mine.leaving == 0);
    places_done(&mine);
}

static void who_has_several_gives_one_up_for_who_has_none(void)
{
    struct places *node = places_new(2), first, second;
    struct place_claim claim;
    struct one a, b;
    unsigned woken = 0;

    places_init(&first, 0, node);
    places_init(&second, 0, node);
    place_claim_init(&claim, on_wake, &woken);
    put(&first, &a, PLACE_ONE_OF_SEVERAL);
    put(&first, &b, PLACE_STAYS);
    CHECK(!places_ask(&second, &claim, PLACE_FURTHER) && a.left == 0 && place_claim_is_stuck(&claim));
    CHECK(claim.at == node);
    CHECK(!places_ask(&second, &claim, PLACE_FIRST) && a.left == 1 && b.left == 0);
    place_free(&a.place);
    CHECK(woken == 1 && places_ask(&second, &claim, PLACE_FIRST) && !claim.at);
    put(&second, &a, 1);
    CHECK(node->count == 2 && first.count == 1 && second.count == 1);
    place_free(&a.place);
    place_free(&a.place);
    place_free(&b.place);
    CHECK(node->count == 0);
    places_done(&first);
    places_done(&second);
    places_free(node);
}

int main(int argc, char **argv)
{
    static const struct test TESTS[] = {
        {"the_longest_idle_gives_way_and_the_first_in_line_is_woken", the_longest_idle_gives_way_and_the_first_in_line_is_woken},
        {"who_has_several_gives_one_up_for_who_has_none", who_has_several_gives_one_up_for_who_has_none},
        {0},
    };

    return test_main("herd_places", TESTS, argc, argv);
}
