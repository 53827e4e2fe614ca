/*
 * A file layer that fails when told, and one that remembers all it was given: loaded before the C library
 * (LD_PRELOAD) into a child of a test, it stands between SQLite and the system. See shim.rs.
 *
 *   FACEPRINT_IO_FOLDER  the real path of a folder: only operations on files in it are touched, on files that
 *                        were deleted while open too
 *   FACEPRINT_IO_COUNT   a file of two 64-bit numbers: operations seen, operations failed
 *   FACEPRINT_IO_FAIL    "N HOW": operation N, counted from 1, fails. HOW is one of
 *                        eio     with EIO, once
 *                        enospc  with ENOSPC, once
 *                        gone    with EIO, and all after it too
 *                        full    with ENOSPC, and all after it too
 *                        torn    with EIO, once, after half of a write was written
 *                        short   only half of a write is written, once, and the call says so
 *   FACEPRINT_IO_LOG     a file elsewhere, to which each operation is appended as a line of text, "write NAME
 *                        OFFSET BYTES", "truncate NAME 0 BYTES" or "sync NAME 0 0"; after a write its bytes follow
 *
 * Operations are write, pwrite, fsync, fdatasync and ftruncate, whichever name the program knows them by.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define PATH_BYTES 4096

enum verdict { GO_ON, REFUSE, TEAR, SHORTEN };

/* The path behind `fd`, without the " (deleted)" of Linux; 0 when it is not a file of the folder. */
static int is_watched(int fd, char *path) {
    const char *folder = getenv("FACEPRINT_IO_FOLDER");
    char link[64];
    if (!folder) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_BYTES - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    char *deleted = strstr(path, " (deleted)");
    if (deleted) *deleted = 0;
    size_t prefix = strlen(folder);
    return strncmp(path, folder, prefix) == 0 && path[prefix] == '/';
}

/* Two numbers that the parent reads, whatever becomes of this process. */
static unsigned long long *counters(void) {
    static unsigned long long *shared;
    const char *path = getenv("FACEPRINT_IO_COUNT");
    if (!shared && path) {
        int fd = open(path, O_RDWR | O_CLOEXEC);
        void *mapped = fd < 0 ? MAP_FAILED : mmap(0, 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (mapped != MAP_FAILED) shared = mapped;
        if (fd >= 0) close(fd);
    }
    return shared;
}

/* Counts an operation and says what becomes of it. */
static enum verdict judge(int is_write) {
    unsigned long long *count = counters();
    if (!count) return GO_ON;
    unsigned long long now = __atomic_add_fetch(&count[0], 1, __ATOMIC_SEQ_CST), at = 0;
    const char *fail = getenv("FACEPRINT_IO_FAIL");
    char how[16] = "";
    if (!fail || sscanf(fail, "%llu %15s", &at, how) != 2) return GO_ON;
    int lasting = !strcmp(how, "gone") || !strcmp(how, "full");
    int shorten = !strcmp(how, "short");
    if (now < at || (now > at && !lasting) || (shorten && !is_write)) return GO_ON;
    __atomic_add_fetch(&count[1], 1, __ATOMIC_SEQ_CST);
    errno = !strcmp(how, "enospc") || !strcmp(how, "full") ? ENOSPC : EIO;
    if (is_write && !strcmp(how, "torn")) return TEAR;
    return shorten ? SHORTEN : REFUSE;
}

static void remember(const char *what, const char *path, long long offset, unsigned long long length,
                     const void *bytes) {
    const char *log = getenv("FACEPRINT_IO_LOG");
    const char *name = strrchr(path, '/');
    char line[PATH_BYTES];
    if (!log || !name) return;
    int text = snprintf(line, sizeof line, "%s %s %lld %llu\n", what, name + 1, offset, length);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || REAL(write)(fd, line, text) != text) abort();
    if (bytes && REAL(write)(fd, bytes, length) != (ssize_t)length) abort();
    close(fd);
}

ssize_t write(int fd, const void *bytes, size_t length) {
    char path[PATH_BYTES];
    int kept = errno;
    if (!is_watched(fd, path)) return errno = kept, REAL(write)(fd, bytes, length);
    remember("write", path, lseek(fd, 0, SEEK_CUR), length, bytes);
    switch (judge(1)) {
    case REFUSE: return -1;
    case SHORTEN: return REAL(write)(fd, bytes, (length + 1) / 2);
    case TEAR:
        if (REAL(write)(fd, bytes, length / 2) >= 0) errno = EIO;
        return -1;
    default: return REAL(write)(fd, bytes, length);
    }
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    char path[PATH_BYTES];
    int kept = errno;
    if (!is_watched(fd, path)) return errno = kept, REAL(pwrite64)(fd, bytes, length, offset);
    remember("write", path, offset, length, bytes);
    switch (judge(1)) {
    case REFUSE: return -1;
    case SHORTEN: return REAL(pwrite64)(fd, bytes, (length + 1) / 2, offset);
    case TEAR:
        if (REAL(pwrite64)(fd, bytes, length / 2, offset) >= 0) errno = EIO;
        return -1;
    default: return REAL(pwrite64)(fd, bytes, length, offset);
    }
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    return pwrite64(fd, bytes, length, offset);
}

#define WITHOUT_BYTES(what, length, call)                                    \
    char path[PATH_BYTES];                                                   \
    int kept = errno;                                                        \
    if (is_watched(fd, path)) {                                              \
        remember(what, path, 0, length, 0);                                  \
        if (judge(0) != GO_ON) return -1;                                    \
    }                                                                        \
    errno = kept;                                                            \
    return call

int fsync(int fd) { WITHOUT_BYTES("sync", 0, REAL(fsync)(fd)); }
int fdatasync(int fd) { WITHOUT_BYTES("sync", 0, REAL(fdatasync)(fd)); }
int ftruncate64(int fd, off64_t length) { WITHOUT_BYTES("truncate", length, REAL(ftruncate64)(fd, length)); }
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
