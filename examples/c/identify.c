/* Enrols a folder of people in an encrypted gallery and names the faces of a group picture, from left to right.
 *
 *   cc -std=c11 identify.c $(pkg-config --cflags --libs faceprint) -o identify
 *   ./identify examples/images
 */
#define _DEFAULT_SOURCE /* mkdtemp, scandir */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <faceprint.h>

static faceprint_error *error;

#define TRY(call) \
  if ((call) != FACEPRINT_STATUS_OK) goto done

/* Every picture of `folder`, one person's. */
static int enroll(const faceprint_engine *engine, const faceprint_tenant *tenant, const char *folder,
                  const char *person) {
  struct dirent **files = NULL;
  faceprint_picture *picture = NULL;
  faceprint_sample *sample = NULL;
  faceprint_issues *issues = NULL;
  faceprint_enrollment enrollment;
  int ok = 0, count = scandir(folder, &files, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    char path[4096];
    if (files[i]->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
    TRY(faceprint_picture_read(path, NULL, &picture, &error));
    faceprint_image image = faceprint_picture_image(picture);
    TRY(faceprint_engine_capture(engine, &image, &sample, &issues, &error));
    if (sample == NULL) {
      fprintf(stderr, "%s: %s\n", path, faceprint_issues_at(issues, 0)->message);
    } else {
      TRY(faceprint_tenant_enroll(tenant, person, faceprint_sample_template(sample), &enrollment, &error));
    }
    faceprint_sample_free(sample), sample = NULL;
    faceprint_issues_free(issues), issues = NULL;
    faceprint_picture_free(picture), picture = NULL;
  }
  ok = 1;
done:
  faceprint_sample_free(sample);
  faceprint_issues_free(issues);
  faceprint_picture_free(picture);
  while (count > 0) free(files[--count]);
  free(files);
  return ok;
}

static int from_the_left(const void *a, const void *b) {
  const float one = (*(const faceprint_face *const *)a)->detection.bounds.x;
  const float other = (*(const faceprint_face *const *)b)->detection.bounds.x;
  return (one > other) - (one < other);
}

int main(int argc, char **argv) {
  const char *images = argc > 1 ? argv[1] : "examples/images";
  char people[4096], path[4096], folder[] = "/tmp/faceprint-XXXXXX";
  struct dirent **names = NULL;
  int count = 0, failed = 1;
  faceprint_pack *pack = NULL;
  faceprint_engine *engine = NULL;
  faceprint_access *access = NULL;
  faceprint_gallery *gallery = NULL;
  faceprint_tenant *tenant = NULL;
  faceprint_picture *picture = NULL;
  faceprint_faces *faces = NULL;
  faceprint_hits *hits = NULL;
  faceprint_space_id space;
  faceprint_query query = FACEPRINT_QUERY_INIT;
  const faceprint_face *sorted[64];

  if (mkdtemp(folder) == NULL) return 1;
  snprintf(path, sizeof path, "%s/gallery.faceprint", folder);
  TRY(faceprint_pack_bundled(&pack, &error));
  TRY(faceprint_pack_space(pack, &space, &error));
  TRY(faceprint_pack_threshold(pack, 1e-4, &query.at_least, &error));
  TRY(faceprint_engine_new(pack, NULL, &engine, &error));
  TRY(faceprint_access_passphrase("correct horse battery staple", &access, &error));
  TRY(faceprint_gallery_create(path, access, &space, &gallery, &error));
  TRY(faceprint_gallery_tenant(gallery, "people", &tenant, &error));

  snprintf(people, sizeof people, "%s/people", images);
  count = scandir(people, &names, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    char person[4096];
    if (names[i]->d_name[0] == '.') continue;
    snprintf(person, sizeof person, "%s/people/%s", images, names[i]->d_name);
    if (!enroll(engine, tenant, person, names[i]->d_name)) goto done;
  }

  snprintf(people, sizeof people, "%s/group.jpg", images);
  TRY(faceprint_picture_read(people, NULL, &picture, &error));
  faceprint_image image = faceprint_picture_image(picture);
  TRY(faceprint_engine_analyze(engine, &image, &faces, &error));
  size_t len = faceprint_faces_len(faces) < 64 ? faceprint_faces_len(faces) : 64;
  for (size_t i = 0; i < len; i++) sorted[i] = faceprint_faces_at(faces, i);
  qsort(sorted, len, sizeof *sorted, from_the_left);
  for (size_t i = 0; i < len; i++) {
    TRY(faceprint_tenant_identify(tenant, sorted[i]->face_template, &query, &hits, &error));
    const faceprint_hit *hit = faceprint_hits_at(hits, 0); /* lives as long as hits */
    if (hit) {
      printf("%s %.3f\n", hit->subject, (double)hit->similarity);
    } else {
      puts("unknown");
    }
    faceprint_hits_free(hits), hits = NULL;
  }
  failed = 0;
done:
  if (error) fprintf(stderr, "%s\n", faceprint_error_message(error));
  faceprint_error_free(error); /* every _free accepts NULL */
  faceprint_faces_free(faces);
  faceprint_picture_free(picture);
  faceprint_tenant_free(tenant);
  faceprint_gallery_free(gallery);
  faceprint_access_free(access);
  faceprint_engine_free(engine);
  faceprint_pack_free(pack);
  while (count > 0) free(names[--count]);
  free(names);
  unlink(path);
  rmdir(folder);
  return failed;
}
