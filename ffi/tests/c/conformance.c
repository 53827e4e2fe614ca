/* The conformance suite in C; core/testdata/conformance/README.md says what its files mean. */
#include "check.h"
#include "table.h"

static uint32_t backend;
static faceprint_engine *engine;

static int by_x(const void *a, const void *b) {
  const faceprint_face *one = *(const faceprint_face *const *)a, *other = *(const faceprint_face *const *)b;
  float difference = one->detection.bounds.x - other->detection.bounds.x;
  return (difference > 0) - (difference < 0);
}

/* The faces of a picture from left to right. The caller frees `faces`. */
static size_t look(const faceprint_image *image, faceprint_faces **faces, const faceprint_face *sorted[16]) {
  OK(faceprint_engine_analyze(engine, image, faces, &error));
  size_t len = faceprint_faces_len(*faces);
  CHECK(len <= 16);
  for (size_t i = 0; i < len; i++) sorted[i] = faceprint_faces_at(*faces, i);
  qsort(sorted, len, sizeof *sorted, by_x);
  return len;
}

static void faces(void) {
  table rows;
  read_table(&rows, "faces.tsv");
  for (size_t at = 0; at < rows.len;) {
    const char *name = cell(&rows, at, "picture");
    const faceprint_face *sorted[16];
    faceprint_faces *found = NULL;
    faceprint_picture *picture = picture_of(name);
    faceprint_image image = faceprint_picture_image(picture);
    size_t len = look(&image, &found, sorted), i = 0;
    for (; at < rows.len && strcmp(cell(&rows, at, "picture"), name) == 0; at++, i++) {
      CHECK(i < len);
      const faceprint_detection *face = &sorted[i]->detection;
      CHECK(fabs(face->score - number(&rows, at, "score")) <= 0.02);
      CHECK(fabs(face->bounds.x - number(&rows, at, "x")) <= 1.5);
      CHECK(fabs(face->bounds.y - number(&rows, at, "y")) <= 1.5);
      CHECK(fabs(face->bounds.width - number(&rows, at, "width")) <= 1.5);
      CHECK(fabs(face->bounds.height - number(&rows, at, "height")) <= 1.5);
      CHECK(fabs(face->landmarks.left_eye.x - number(&rows, at, "left_eye_x")) <= 1.5);
      CHECK(fabs(face->landmarks.right_eye.y - number(&rows, at, "right_eye_y")) <= 1.5);
      CHECK(fabs(face->landmarks.nose.x - number(&rows, at, "nose_x")) <= 1.5);
      CHECK(fabs(face->landmarks.left_mouth.y - number(&rows, at, "left_mouth_y")) <= 1.5);
      CHECK(fabs(face->landmarks.right_mouth.x - number(&rows, at, "right_mouth_x")) <= 1.5);
    }
    CHECK(i == len);
    faceprint_faces_free(found);
    faceprint_picture_free(picture);
  }
  free_table(&rows);
}

/* The template of a face of a picture, made once. */
static const faceprint_template *template_of(const char *name, size_t face) {
  static char names[64][64];
  static faceprint_faces *found[64];
  static const faceprint_face *sorted[64][16];
  static size_t known;
  static uint32_t on = 99;
  if (on != backend) {
    for (size_t i = 0; i < known; i++) faceprint_faces_free(found[i]);
    known = 0;
    on = backend;
  }
  if (name == NULL) return NULL;
  size_t at = 0;
  while (at < known && strcmp(names[at], name) != 0) at++;
  if (at == known) {
    CHECK(known < 64 && strlen(name) < 64);
    strcpy(names[known], name);
    faceprint_picture *picture = picture_of(name);
    faceprint_image image = faceprint_picture_image(picture);
    look(&image, &found[known], sorted[known]);
    faceprint_picture_free(picture);
    known++;
  }
  return sorted[at][face]->face_template;
}

static void similarities(void) {
  table rows;
  read_table(&rows, "similarities.tsv");
  for (size_t at = 0; at < rows.len; at++) {
    float similarity = 0;
    const faceprint_template *a = template_of(cell(&rows, at, "a"), (size_t)number(&rows, at, "a_face"));
    const faceprint_template *b = template_of(cell(&rows, at, "b"), (size_t)number(&rows, at, "b_face"));
    OK(faceprint_template_similarity(a, b, &similarity, &error));
    CHECK(fabs(similarity - number(&rows, at, "cosine")) <= 0.001);
  }
  free_table(&rows);
}

static void pixels(void) {
  static const char *const formats[] = {"rgb8", "bgr8", "rgba8", "bgra8", "gray8", "nv12", "nv21", "i420"};
  table rows;
  faceprint_template *reference = NULL;
  read_table(&rows, "pixels.tsv");
  for (size_t at = 0; at < rows.len; at++) {
    size_t len = 0;
    unsigned char *bytes = read_file(join(setting("CONFORMANCE"), cell(&rows, at, "file")), &len);
    uint32_t format = 0;
    while (strcmp(formats[format], cell(&rows, at, "format")) != 0) format++;
    faceprint_image image = FACEPRINT_IMAGE(bytes, len, (uint32_t)number(&rows, at, "width"),
                                            (uint32_t)number(&rows, at, "height"), format);
    image.stride = (size_t)number(&rows, at, "stride");
    image.orientation = (uint32_t)number(&rows, at, "orientation");
    faceprint_faces *found = NULL;
    float cosine = 0;
    OK(faceprint_engine_analyze(engine, &image, &found, &error));
    CHECK(faceprint_faces_len(found) == 1);
    const faceprint_template *seen = faceprint_faces_at(found, 0)->face_template;
    if (reference == NULL) OK(faceprint_template_clone(seen, &reference, &error));
    OK(faceprint_template_similarity(seen, reference, &cosine, &error));
    CHECK(fabs(cosine - number(&rows, at, "cosine")) <= 0.01);
    faceprint_faces_free(found);
    free(bytes);
  }
  faceprint_template_free(reference);
  free_table(&rows);
}

static faceprint_gallery *gallery;

static void list(char *answer, const faceprint_strings *names) {
  strcpy(answer, faceprint_strings_len(names) == 0 ? "-" : "");
  for (size_t i = 0; i < faceprint_strings_len(names); i++) {
    if (i > 0) strcat(answer, ",");
    strcat(answer, faceprint_strings_at(names, i));
  }
}

static faceprint_status step(const table *rows, size_t at, char *answer, faceprint_error **error) {
  const char *op = cell(rows, at, "op"), *a = cell(rows, at, "a"), *b = cell(rows, at, "b");
  const char *path = scratch("conformance.faceprint");
  faceprint_status status = FACEPRINT_STATUS_OK;
  strcpy(answer, "ok");
  if (strcmp(op, "create") == 0 || strcmp(op, "open") == 0 || strcmp(op, "rotate") == 0 ||
      strcmp(op, "rekey") == 0) {
    faceprint_access *access = access_by((unsigned char)atoi(a));
    faceprint_space_id space = space_of(1);
    faceprint_gallery *other = NULL;
    if (strcmp(op, "create") == 0) status = faceprint_gallery_create(path, access, &space, &other, error);
    if (strcmp(op, "open") == 0) status = faceprint_gallery_open(path, access, &other, error);
    if (strcmp(op, "rotate") == 0) status = faceprint_gallery_rotate_key(gallery, access, error);
    if (strcmp(op, "rekey") == 0) status = faceprint_gallery_rekey(gallery, access, error);
    if (other != NULL) {
      faceprint_gallery_free(gallery);
      gallery = other;
    }
    faceprint_access_free(access);
    return status;
  }
  if (strcmp(op, "check") == 0) return faceprint_gallery_check(gallery, error);
  if (strcmp(op, "compact") == 0) return faceprint_gallery_compact(gallery, error);
  faceprint_strings *names = NULL;
  faceprint_erased erased = {0, 0};
  if (strcmp(op, "tenants") == 0) {
    status = faceprint_gallery_tenants(gallery, &names, error);
    list(answer, names);
    faceprint_strings_free(names);
    return status;
  }
  if (strcmp(op, "erase_tenant") == 0) {
    status = faceprint_gallery_erase_tenant(gallery, cell(rows, at, "tenant"), &erased, error);
    sprintf(answer, "erased %d %d", (int)erased.subjects, (int)erased.templates);
    return status;
  }
  faceprint_tenant *tenant = tenant_of(gallery, cell(rows, at, "tenant"));
  faceprint_template *probe = NULL;
  faceprint_hits *hits = NULL;
  faceprint_query query = FACEPRINT_QUERY_INIT;
  if (strcmp(op, "enroll") == 0) {
    faceprint_enrollment enrollment;
    probe = vector(b);
    status = faceprint_tenant_enroll(tenant, a, probe, &enrollment, error);
    if (status == FACEPRINT_STATUS_OK) {
      strcpy(answer, "added");
      if (enrollment.outcome == FACEPRINT_OUTCOME_DUPLICATE)
        sprintf(answer, "duplicate %s %.5f", enrollment.duplicate_of, (double)enrollment.similarity);
    }
  } else if (strcmp(op, "identify") == 0) {
    const char *roster[16];
    char text[256];
    strcpy(text, cell(rows, at, "d"));
    probe = vector(a);
    query.limit = (size_t)atoi(b);
    query.at_least = (float)number(rows, at, "c");
    if (strcmp(text, "*") != 0) {
      query.among = roster;
      for (char *name = strcmp(text, "-") == 0 ? NULL : strtok(text, ","); name; name = strtok(NULL, ","))
        roster[query.among_len++] = name;
    }
    status = faceprint_tenant_identify(tenant, probe, &query, &hits, error);
    strcpy(answer, faceprint_hits_len(hits) == 0 ? "-" : "");
    for (size_t i = 0; i < faceprint_hits_len(hits); i++) {
      const faceprint_hit *hit = faceprint_hits_at(hits, i);
      sprintf(answer + strlen(answer), "%s%s=%.5f", i > 0 ? "," : "", hit->subject, (double)hit->similarity);
    }
  } else if (strcmp(op, "decide") == 0) {
    uint32_t verdict = 99;
    probe = vector(a);
    query.limit = 3;
    query.at_least = (float)number(rows, at, "b");
    query.ambiguity_margin = (float)number(rows, at, "c");
    status = faceprint_tenant_decide(tenant, probe, &query, &verdict, &hits, error);
    strcpy(answer, verdict == FACEPRINT_VERDICT_NO_MATCH ? "nobody"
                   : verdict == FACEPRINT_VERDICT_MATCH  ? "match "
                                                         : "ambiguous ");
    for (size_t i = 0; i < faceprint_hits_len(hits); i++)
      sprintf(answer + strlen(answer), "%s%s", i > 0 ? "," : "", faceprint_hits_at(hits, i)->subject);
  } else if (strcmp(op, "verify") == 0) {
    float similarity = 0;
    probe = vector(b);
    status = faceprint_tenant_verify(tenant, a, probe, &similarity, error);
    sprintf(answer, "%.5f", (double)similarity);
  } else if (strcmp(op, "subjects") == 0) {
    status = faceprint_tenant_subjects(tenant, &names, error);
    list(answer, names);
  } else if (strcmp(op, "expire") == 0) {
    faceprint_details details = FACEPRINT_DETAILS_INIT;
    details.expires_at = strtoll(b, NULL, 10);
    status = faceprint_tenant_set_details(tenant, a, &details, error);
  } else {
    CHECK(strcmp(op, "erase") == 0);
    status = faceprint_tenant_erase(tenant, a, &erased, error);
    sprintf(answer, "erased %d %d", (int)erased.subjects, (int)erased.templates);
  }
  faceprint_strings_free(names);
  faceprint_hits_free(hits);
  faceprint_template_free(probe);
  faceprint_tenant_free(tenant);
  return status;
}

/* The same letters, and numbers with a point within a ten-thousandth. */
static bool alike(const char *a, const char *b) {
  while (*a != 0 || *b != 0) {
    size_t digits = strspn(a, "-0123456789."), others = strspn(b, "-0123456789.");
    if (digits > 1 && memchr(a, '.', digits) != NULL) {
      if (fabs(strtod(a, NULL) - strtod(b, NULL)) > 1e-4) return false;
      a += digits;
      b += others;
    } else if (*a++ != *b++) {
      return false;
    }
  }
  return true;
}

static void operations(void) {
  table rows;
  read_table(&rows, "gallery.tsv");
  remove(scratch("conformance.faceprint"));
  for (size_t at = 0; at < rows.len; at++) {
    char answer[1024];
    faceprint_error *error = NULL;
    faceprint_status status = step(&rows, at, answer, &error);
    if (status != FACEPRINT_STATUS_OK) sprintf(answer, "error %u", (unsigned)status);
    if (!alike(answer, cell(&rows, at, "expected"))) {
      fprintf(stderr, "%s %s: %s, expected %s\n", cell(&rows, at, "op"), cell(&rows, at, "a"), answer,
              cell(&rows, at, "expected"));
      exit(1);
    }
    faceprint_error_free(error);
  }
  faceprint_gallery_free(gallery);
  gallery = NULL;
  free_table(&rows);
}

#include "mistakes.h"

int main(void) {
  static const uint32_t all[2] = {FACEPRINT_BACKEND_CHOICE_RTEN, FACEPRINT_BACKEND_CHOICE_ONNX_RUNTIME};
  size_t backends = getenv("ORT_DYLIB_PATH") != NULL && getenv("QUICK") == NULL ? 2 : 1;
  operations();
  for (size_t i = 0; i < backends; i++) {
    backend = all[i];
    engine = engine_on(backend);
    if (getenv("QUICK") == NULL) {
      faces();
      similarities();
    }
    pixels();
    mistakes();
    faceprint_engine_free(engine);
  }
  backend = 98;
  template_of(NULL, 0);
  printf("conformance: ok on %d runtimes\n", (int)backends);
  return 0;
}
