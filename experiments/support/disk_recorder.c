/* Records what a process does to the files below a folder, in the order in which it does it: preloaded into it.

   cc -shared -fPIC -O1 -o recorder.so disk_recorder.c
   LD_PRELOAD=recorder.so DISK_ROOT=/a/folder DISK_LOG=/elsewhere/log program

   Each record is a struct head, two paths and the bytes that were written. One thing happens at a time, and its record
   is complete before the next one: a sync is recorded when it has returned. What is written through a mapping of memory
   is not seen, nor what the C library itself opens (fopen): who reads the log compares its end with the disk. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct head {
    char kind; /* Create, Mkdir, Write, Truncate, Sync, Rename, Link, Unlink */
    uint64_t inode;
    int64_t offset; /* of a write; the size of a truncation */
    uint32_t first, second, data; /* lengths of what follows */
} __attribute__((packed));

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *root;
static int log_file = -1;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("DISK_LOG");
    root = getenv("DISK_ROOT");
    if (root && path)
        log_file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int below(const char *path) {
    size_t n = root ? strlen(root) : 0;
    return log_file >= 0 && !strncmp(path, root, n) && (path[n] == '/' || !path[n]);
}

/* The absolute path of a name; whether it is to be recorded. */
static int named(int folder, const char *path, char *full) {
    char place[PATH_MAX], link[64];
    if (path[0] == '/') {
        snprintf(full, PATH_MAX, "%s", path);
    } else {
        snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
        ssize_t n = readlink(link, place, sizeof place - 1);
        snprintf(full, PATH_MAX, "%.*s/%s", n < 0 ? 0 : (int)n, place, path);
    }
    return below(full);
}

static int opened(int file) {
    char full[PATH_MAX], link[64];
    if (log_file < 0 || file < 0)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t n = readlink(link, full, sizeof full - 1);
    full[n < 0 ? 0 : n] = 0;
    return below(full);
}

static uint64_t inode_of(int folder, const char *path, int file) {
    struct stat found;
    int failed = path ? fstatat(folder, path, &found, AT_SYMLINK_NOFOLLOW) : fstat(file, &found);
    return failed ? 0 : found.st_ino;
}

static void note(char kind, uint64_t inode, int64_t offset, const char *a, const char *b, const void *data, size_t n) {
    int was = errno;
    struct head head = {kind, inode, offset, a ? strlen(a) : 0, b ? strlen(b) : 0, n};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)a, head.first}, {(void *)b, head.second}, {(void *)data, n}};
    if (syscall(SYS_writev, log_file, parts, 4) != (ssize_t)(sizeof head + head.first + head.second + n))
        abort(); /* a record that is not whole is worse than none */
    errno = was;
}

static int open_at(int folder, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    if (!(flags & (O_CREAT | O_TRUNC)) || !named(folder, path, full))
        return syscall(SYS_openat, folder, path, flags, mode);
    pthread_mutex_lock(&lock);
    int was_there = inode_of(folder, path, -1) != 0;
    int file = syscall(SYS_openat, folder, path, flags, mode);
    if (file >= 0 && !was_there)
        note('C', inode_of(0, NULL, file), 0, full, NULL, NULL, 0);
    else if (file >= 0 && flags & O_TRUNC)
        note('T', inode_of(0, NULL, file), 0, NULL, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return file;
}

#define OPEN(name, arguments, folder)                                                                                  \
    int name arguments {                                                                                               \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                        \
        va_end(rest);                                                                                                  \
        return open_at(folder, path, flags, mode);                                                                     \
    }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD)
OPEN(openat, (int folder, const char *path, int flags, ...), folder)
OPEN(openat64, (int folder, const char *path, int flags, ...), folder)

static ssize_t written(int file, const void *data, size_t n, off_t at, int positioned) {
    if (!opened(file))
        return positioned ? syscall(SYS_pwrite64, file, data, n, at) : syscall(SYS_write, file, data, n);
    pthread_mutex_lock(&lock);
    ssize_t done = positioned ? syscall(SYS_pwrite64, file, data, n, at) : syscall(SYS_write, file, data, n);
    if (done > 0)
        note('W', inode_of(0, NULL, file), positioned ? at : lseek(file, 0, SEEK_CUR) - done, NULL, NULL, data, done);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int file, const void *data, size_t n) { return written(file, data, n, 0, 0); }
ssize_t pwrite(int file, const void *data, size_t n, off_t at) { return written(file, data, n, at, 1); }
ssize_t pwrite64(int file, const void *data, size_t n, off_t at) { return written(file, data, n, at, 1); }

ssize_t writev(int file, const struct iovec *parts, int count) {
    ssize_t sum = 0;
    if (!opened(file))
        return syscall(SYS_writev, file, parts, count);
    for (int i = 0; i < count; i++) { /* as one that was cut short, where one fails */
        ssize_t done = written(file, parts[i].iov_base, parts[i].iov_len, 0, 0);
        if (done < 0)
            return sum ? sum : done;
        sum += done;
        if ((size_t)done < parts[i].iov_len)
            break;
    }
    return sum;
}

static int sized(int file, off_t size) {
    int recorded = opened(file);
    pthread_mutex_lock(&lock);
    int failed = syscall(SYS_ftruncate, file, size);
    if (!failed && recorded)
        note('T', inode_of(0, NULL, file), size, NULL, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return failed;
}

int ftruncate(int file, off_t size) { return sized(file, size); }
int ftruncate64(int file, off_t size) { return sized(file, size); }

static int synced(int file, long call) {
    int recorded = opened(file);
    pthread_mutex_lock(&lock);
    int failed = syscall(call, file);
    if (!failed && recorded)
        note('S', inode_of(0, NULL, file), 0, NULL, NULL, NULL, 0);
    pthread_mutex_unlock(&lock);
    return failed;
}

int fsync(int file) { return synced(file, SYS_fsync); }
int fdatasync(int file) { return synced(file, SYS_fdatasync); }

/* A change of names: of one, or of two. The inode is that of the first one, before. */
static int changed(char kind, int folder, const char *path, int other, const char *second, long flags) {
    char a[PATH_MAX] = "", b[PATH_MAX] = "";
    int recorded = named(folder, path, a);
    if (second)
        recorded = named(other, second, b) || recorded;
    pthread_mutex_lock(&lock);
    uint64_t inode = inode_of(folder, path, -1);
    int failed = kind == 'R'   ? syscall(SYS_renameat2, folder, path, other, second, flags)
                 : kind == 'L' ? syscall(SYS_linkat, folder, path, other, second, flags)
                 : kind == 'M' ? syscall(SYS_mkdirat, folder, path, flags)
                               : syscall(SYS_unlinkat, folder, path, flags);
    if (!failed && recorded)
        note(kind, kind == 'M' ? inode_of(folder, path, -1) : inode, 0, a, b, NULL, 0);
    pthread_mutex_unlock(&lock);
    return failed;
}

int rename(const char *a, const char *b) { return changed('R', AT_FDCWD, a, AT_FDCWD, b, 0); }
int renameat(int f, const char *a, int g, const char *b) { return changed('R', f, a, g, b, 0); }
int renameat2(int f, const char *a, int g, const char *b, unsigned flags) { return changed('R', f, a, g, b, flags); }
int link(const char *a, const char *b) { return changed('L', AT_FDCWD, a, AT_FDCWD, b, 0); }
int linkat(int f, const char *a, int g, const char *b, int flags) { return changed('L', f, a, g, b, flags); }
int mkdir(const char *a, mode_t mode) { return changed('M', AT_FDCWD, a, 0, NULL, mode); }
int mkdirat(int f, const char *a, mode_t mode) { return changed('M', f, a, 0, NULL, mode); }
int unlink(const char *a) { return changed('U', AT_FDCWD, a, 0, NULL, 0); }
int rmdir(const char *a) { return changed('U', AT_FDCWD, a, 0, NULL, AT_REMOVEDIR); }
int unlinkat(int f, const char *a, int flags) { return changed('U', f, a, 0, NULL, flags); }
