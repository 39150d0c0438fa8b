/* rules.c - lists of calls to libseccomp, its program out of it. */
#include "box/rules.h"

#include <errno.h>
#include <linux/filter.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

int rules_list(scmp_filter_ctx ctx, uint32_t action, const int *list, size_t n)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++)
        if (list[i] >= 0) /* negative: this architecture has no such call */
            r = seccomp_rule_add(ctx, action, list[i], 0);
    return r;
}

int rules_values(scmp_filter_ctx ctx, int call, unsigned arg, const uint64_t *values, size_t n)
{
    int r = 0;

    for (size_t i = 0; i < n && r == 0; i++)
        r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1,
                             SCMP_CMP(arg, SCMP_CMP_EQ, values[i], 0));
    return r;
}

int rules_memory(scmp_filter_ctx ctx, uint64_t without)
{
    /* A mask of nothing is no condition, which libseccomp wants to be left out. */
    const unsigned one = without ? 1 : 0;
    const struct scmp_arg_cmp may = SCMP_CMP(3, SCMP_CMP_MASKED_EQ, MAP_HUGETLB, 0),
                              huge = SCMP_CMP(3, SCMP_CMP_MASKED_EQ, MAP_HUGETLB, MAP_HUGETLB),
                              plain = SCMP_CMP(2, SCMP_CMP_MASKED_EQ, without, 0);
    int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1 + one, may, plain);

    r = r ? r : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOMEM), SCMP_SYS(mmap), 1 + one, huge, plain);
    return r ? r : seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), one, plain);
}

/* Nor in files. */
int rules_memory_files(scmp_filter_ctx ctx)
{
    return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(memfd_create), 1,
                            SCMP_CMP(1, SCMP_CMP_MASKED_EQ, MFD_HUGETLB, 0));
}

/* libseccomp only writes it to a file. */
int rules_compile(scmp_filter_ctx ctx, struct box_filter *f, struct err *err)
{
    int fd = -1, r = 0;
    off_t size;

    fd = memfd_create("seccomp", MFD_CLOEXEC);
    if (fd < 0)
        return err_errno(err, errno, "seccomp filter: memfd_create");
    if (seccomp_export_bpf(ctx, fd) < 0) {
        r = err_set(err, ERR_SYSTEM, "seccomp filter: libseccomp does not export it");
        goto out;
    }
    size = lseek(fd, 0, SEEK_END);
    f->code = mem_alloc((size_t)size);
    if (!f->code) {
        r = err_nomem(err);
        goto out;
    }
    if (pread(fd, f->code, (size_t)size, 0) != size) {
        r = err_errno(err, errno, "seccomp filter: read it back");
        goto out;
    }
    f->len = (unsigned short)((size_t)size / sizeof *f->code);
out:
    close(fd);
    if (r < 0)
        box_filter_done(f);
    return r;
}
