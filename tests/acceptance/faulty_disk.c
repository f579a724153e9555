/* A disk that fails on demand: preloaded into a server, it makes system calls on files below FAULTY_ROOT fail as the
 * first line of the file FAULTY_ORDERS says: "full" (no write finds room), "fsync" (nothing becomes durable), or empty.
 *
 * cc -shared -fPIC -O2 -o faulty_disk.so faulty_disk.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int is_ours(int fd) {
    char link[64], path[4096];
    const char *root = getenv("FAULTY_ROOT");
    if (root == NULL) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return 0;
    path[size] = '\0';
    return strncmp(path, root, strlen(root)) == 0;
}

static int ordered(const char *fault) {
    char order[16] = {0};
    const char *path = getenv("FAULTY_ORDERS");
    if (path == NULL) return 0;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) return 0;
    ssize_t size = syscall(SYS_read, fd, order, sizeof order - 1);
    syscall(SYS_close, fd);
    return size > 0 && strncmp(order, fault, strlen(fault)) == 0;
}

static int fails(const char *fault, int fd, int error) {
    int before = errno;
    if (ordered(fault) && is_ours(fd)) {
        errno = error;
        return 1;
    }
    errno = before;
    return 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size) {
    return fails("full", fd, ENOSPC) ? -1 : REAL(write)(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return fails("full", fd, ENOSPC) ? -1 : REAL(pwrite)(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    return fails("full", fd, ENOSPC) ? -1 : REAL(pwrite64)(fd, data, size, at);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    return fails("full", fd, ENOSPC) ? -1 : REAL(writev)(fd, parts, count);
}

int fsync(int fd) { return fails("fsync", fd, EIO) ? -1 : REAL(fsync)(fd); }

int fdatasync(int fd) { return fails("fsync", fd, EIO) ? -1 : REAL(fdatasync)(fd); }
