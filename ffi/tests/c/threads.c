/* One engine and one tenant, used from eight threads at once, and freed in any order. */
#include <pthread.h>

#include "check.h"

enum { THREADS = 8, ROUNDS = 20 };

static faceprint_engine *engine;
static faceprint_tenant *tenant;
static faceprint_image image;

static void *work(void *argument) {
  int number = *(int *)argument;
  for (int round = 0; round < ROUNDS; round++) {
    char name[32], text[32];
    faceprint_enrollment enrollment;
    faceprint_hits *hits = NULL;
    faceprint_hits *own = NULL;
    snprintf(name, sizeof name, "s%d-%d", number, round);
    snprintf(text, sizeof text, "%d", 1 + number * ROUNDS + round);
    faceprint_template *probe = vector(text);
    OK(faceprint_tenant_enroll(tenant, name, probe, &enrollment, &error));
    CHECK(enrollment.outcome == FACEPRINT_OUTCOME_ADDED);
    OK(faceprint_tenant_identify(tenant, probe, NULL, &own, &error));
    CHECK(strcmp(faceprint_hits_at(own, 0)->subject, name) == 0);
    faceprint_template_free(probe);
    faceprint_hits_free(own);
    faceprint_hits_free(hits);
    if (round == 0) {
      faceprint_faces *faces = NULL;
      OK(faceprint_engine_analyze(engine, &image, &faces, &error));
      CHECK(faceprint_faces_len(faces) == 1);
      faceprint_faces_free(faces);
    }
  }
  return NULL;
}

int main(void) {
  faceprint_gallery *gallery = gallery_at(scratch("threads.faceprint"), 1);
  faceprint_picture *picture = picture_of("people/hemo/1.jpg");
  pthread_t threads[THREADS];
  int numbers[THREADS];
  faceprint_strings *names = NULL;
  engine = engine_on(FACEPRINT_BACKEND_CHOICE_RTEN);
  tenant = tenant_of(gallery, "acme");
  faceprint_gallery_free(gallery);
  image = faceprint_picture_image(picture);
  for (int i = 0; i < THREADS; i++) {
    numbers[i] = i;
    CHECK(pthread_create(&threads[i], NULL, work, &numbers[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  OK(faceprint_tenant_subjects(tenant, &names, &error));
  CHECK(faceprint_strings_len(names) == THREADS * ROUNDS);
  faceprint_strings_free(names);
  faceprint_tenant_free(tenant);
  faceprint_engine_free(engine);
  faceprint_picture_free(picture);
  puts("threads: ok");
  return 0;
}
