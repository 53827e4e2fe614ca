/* What the programs share. They are C11 and C++17 at once. */
#ifndef CHECK_H
#define CHECK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faceprint.h"

/* Ends the program, unless it is so. */
#define CHECK(so)                                                                  \
  do {                                                                             \
    if (!(so)) {                                                                   \
      fprintf(stderr, "%s:%d: %s is not so\n", __FILE__, __LINE__, #so);           \
      exit(1);                                                                     \
    }                                                                              \
  } while (0)

/* The call succeeds; `error` is its last argument. */
#define OK(call)                                                                   \
  do {                                                                             \
    faceprint_error *error = NULL;                                                 \
    if ((call) != FACEPRINT_STATUS_OK) {                                           \
      fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call,                \
              faceprint_error_message(error));                                     \
      exit(1);                                                                     \
    }                                                                              \
    CHECK(error == NULL);                                                          \
  } while (0)

/* The call fails with `status`; `error` is its last argument. */
#define FAILS(status, call)                                                        \
  do {                                                                             \
    faceprint_error *error = NULL;                                                 \
    faceprint_status got = (call);                                                 \
    if (got != (status) || faceprint_error_status(error) != got ||                 \
        strlen(faceprint_error_message(error)) < 10) {                             \
      fprintf(stderr, "%s:%d: %s gave %u: %s\n", __FILE__, __LINE__, #call,        \
              (unsigned)got, faceprint_error_message(error));                      \
      exit(1);                                                                     \
    }                                                                              \
    faceprint_error_free(error);                                                   \
  } while (0)

static inline const char *setting(const char *name) {
  const char *value = getenv(name);
  CHECK(value != NULL);
  return value;
}

/* `folder/name` in one of a few buffers. */
static inline const char *join(const char *folder, const char *name) {
  static char buffers[8][1024];
  static int next;
  char *buffer = buffers[next++ % 8];
  int length = snprintf(buffer, sizeof buffers[0], "%s/%s", folder, name);
  CHECK(length > 0 && (size_t)length < sizeof buffers[0]);
  return buffer;
}

static inline const char *example(const char *name) { return join(setting("EXAMPLES"), name); }
static inline const char *scratch(const char *name) { return join(setting("SCRATCH"), name); }

static inline faceprint_pack *bundled(void) {
  faceprint_pack *pack = NULL;
  OK(faceprint_pack_bundled(&pack, &error));
  return pack;
}

static inline faceprint_engine *engine_on(uint32_t backend) {
  faceprint_engine_options options = FACEPRINT_ENGINE_OPTIONS_INIT;
  faceprint_pack *pack = bundled();
  faceprint_engine *engine = NULL;
  options.backend = backend;
  OK(faceprint_engine_new(pack, &options, &engine, &error));
  faceprint_pack_free(pack);
  return engine;
}

static inline faceprint_picture *picture_of(const char *name) {
  faceprint_picture *picture = NULL;
  OK(faceprint_picture_read(example(name), NULL, &picture, &error));
  return picture;
}

static inline faceprint_access *access_by(unsigned char number) {
  unsigned char key[32];
  faceprint_access *access = NULL;
  memset(key, number, sizeof key);
  OK(faceprint_access_key(key, sizeof key, &access, &error));
  return access;
}

static inline faceprint_space_id space_of(unsigned char number) {
  faceprint_space_id space;
  memset(space.bytes, number, sizeof space.bytes);
  return space;
}

/* The values of core/testdata/conformance/README.md. */
static inline void add_values(double *values, unsigned long long seed, double weight) {
  unsigned long long state = seed;
  for (int i = 0; i < 128; i++) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    values[i] += weight * ((double)(state >> 40) / 8388608.0 - 1.0);
  }
}

/* `7` or `7+0.5*9`. */
static inline faceprint_template *vector_in(unsigned char space, const char *text) {
  double sums[128] = {0};
  float values[128];
  faceprint_template *made = NULL;
  faceprint_space_id id = space_of(space);
  const char *plus = strchr(text, '+');
  add_values(sums, strtoull(text, NULL, 10), 1.0);
  if (plus != NULL) {
    char *end = NULL;
    double weight = strtod(plus + 1, &end);
    add_values(sums, strtoull(end + 1, NULL, 10), weight);
  }
  for (int i = 0; i < 128; i++) values[i] = (float)sums[i];
  OK(faceprint_template_new(values, 128, &id, &made, &error));
  return made;
}

static inline faceprint_template *vector(const char *text) { return vector_in(1, text); }

static inline faceprint_gallery *gallery_at(const char *path, unsigned char key) {
  faceprint_access *access = access_by(key);
  faceprint_space_id space = space_of(1);
  faceprint_gallery *gallery = NULL;
  remove(path);
  OK(faceprint_gallery_create(path, access, &space, &gallery, &error));
  faceprint_access_free(access);
  return gallery;
}

static inline faceprint_tenant *tenant_of(faceprint_gallery *gallery, const char *id) {
  faceprint_tenant *tenant = NULL;
  OK(faceprint_gallery_tenant(gallery, id, &tenant, &error));
  return tenant;
}

#endif
