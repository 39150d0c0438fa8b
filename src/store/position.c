/* position.c - where the last commit stands.
 *
 * A WAL is written from its start again and again.  SQLite numbers these by the
 * first salt in its head: one more each time, but random when the file was
 * empty.  So a position is (epoch, salt - the epoch's first salt, frame), and
 * an epoch begins wherever the salt does not follow from the one before.  The
 * file `epoch` has its number and base, for the next process and for others
 * that have the database open as well. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/inside.h"

enum { WAL_HEAD = 32, FOLLOWS_MAX = 1 << 20 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct epoch epoch;
static struct engine_position position;
static uint32_t last_salt;
static uint32_t checkpointed; /* frames of this WAL that are in the database, too */

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool salt_follows(uint32_t salt)
{
    return epoch.is_based && salt - epoch.base < FOLLOWS_MAX;
}

/* A WAL begins with this salt, or has begun with it unseen. */
static void settle(uint32_t salt, bool is_fresh)
{
    struct epoch there;

    /* another process may have been here */
    if (epoch_read(engine.files.epoch_file, &there) == 0 && there.number >= epoch.number)
        epoch = there;
    if (is_fresh ? !epoch.is_based || epoch.base != salt : !salt_follows(salt)) {
        if (epoch.is_based)
            epoch.number++;
        epoch.is_based = true;
        epoch.base = salt;
        /* If this fails the next start finds a salt that does not follow, and counts on. */
        (void)!epoch_write(engine.files.epoch_file, &epoch);
    }
    last_salt = salt;
    checkpointed = 0;
    position = (struct engine_position){epoch.number, salt - epoch.base, 0};
}

int position_init(struct err *err)
{
    position = (struct engine_position){0};
    last_salt = checkpointed = 0;
    epoch = (struct epoch){0};
    if (epoch_read(engine.files.epoch_file, &epoch) < 0)
        return err_set(err, ERR_SYSTEM, "the database's file 'epoch' is damaged");
    position.epoch = epoch.number;
    return 0;
}

void position_begin(const unsigned char *head)
{
    pthread_mutex_lock(&lock);
    settle(be32(head + 16), be32(head + 12) == 0);
    pthread_mutex_unlock(&lock);
}

void position_find(void)
{
    unsigned char head[WAL_HEAD];
    uint32_t frame = engine.shm ? engine.shm[4] : 0;

    pthread_mutex_lock(&lock);
    if (pread(engine.files.wal, head, sizeof head, 0) == sizeof head) {
        settle(be32(head + 16), be32(head + 12) == 0);
        position.frame = frame;
    }
    pthread_mutex_unlock(&lock);
}

void position_commit(uint32_t salt, uint32_t frame)
{
    pthread_mutex_lock(&lock);
    if (salt != last_salt)
        settle(salt, false);
    position.frame = frame;
    pthread_mutex_unlock(&lock);
}

void position_checkpoint(uint32_t frame)
{
    pthread_mutex_lock(&lock);
    checkpointed = frame;
    pthread_mutex_unlock(&lock);
}

struct engine_position engine_position(void)
{
    struct engine_position p;

    pthread_mutex_lock(&lock);
    p = position;
    pthread_mutex_unlock(&lock);
    return p;
}

uint32_t engine_wal_frames(void)
{
    uint32_t n;

    pthread_mutex_lock(&lock);
    n = position.frame > checkpointed ? position.frame - checkpointed : 0;
    pthread_mutex_unlock(&lock);
    return n;
}

bool engine_wal_is_crowded(uint32_t frames)
{
    bool is;

    pthread_mutex_lock(&lock);
    is = position.frame > frames && position.frame > checkpointed;
    pthread_mutex_unlock(&lock);
    return is;
}

void engine_bookmark(char ret[static ENGINE_BOOKMARK + 1])
{
    struct engine_position p;
    char id[sizeof epoch.id];

    pthread_mutex_lock(&lock);
    p = position;
    memcpy(id, epoch.id, sizeof id);
    pthread_mutex_unlock(&lock);
    snprintf(ret, ENGINE_BOOKMARK + 1, "%08" PRIx32 "-%08" PRIx32 "-%08" PRIx32 "-%s",
             (uint32_t)p.epoch, p.checkpoint, p.frame, id);
}

bool engine_is_bookmark(struct span text)
{
    if (text.len != ENGINE_BOOKMARK)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        bool is_dash = i == 8 || i == 17 || i == 26;

        if (is_dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}
