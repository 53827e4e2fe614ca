/* Makes, uses and frees everything many times: the memory of the process stays what it was. ROUNDS says how often. */
#include <unistd.h>

#include "check.h"

static long resident(void) {
  long pages = 0, ignored = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL && fscanf(file, "%ld %ld", &ignored, &pages) == 2);
  fclose(file);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void round_trip(const faceprint_engine *engine, const faceprint_gallery *gallery,
                       const faceprint_image *image, long number) {
  char name[32];
  faceprint_pack *pack = bundled();
  faceprint_tenant *tenant = NULL;
  faceprint_template *probe = vector("7");
  faceprint_enrollment enrollment;
  faceprint_hits *hits = NULL;
  faceprint_strings *names = NULL;
  faceprint_policy *policy = NULL;
  faceprint_changes *changes = NULL;
  faceprint_subject *subject = NULL;
  faceprint_detections *found = NULL;
  snprintf(name, sizeof name, "s%ld", number % 3);
  OK(faceprint_gallery_tenant(gallery, "acme", &tenant, &error));
  OK(faceprint_tenant_enroll(tenant, name, probe, &enrollment, &error));
  OK(faceprint_tenant_identify(tenant, probe, NULL, &hits, &error));
  CHECK(faceprint_hits_len(hits) == 1);
  OK(faceprint_tenant_subjects(tenant, &names, &error));
  OK(faceprint_tenant_subject(tenant, name, &subject, &error));
  OK(faceprint_tenant_changes_since(tenant, NULL, 10, &changes, &error));
  FAILS(FACEPRINT_STATUS_SUBJECT_NOT_FOUND, faceprint_tenant_erase(tenant, "nobody", NULL, &error));
  OK(faceprint_tenant_erase(tenant, name, NULL, &error));
  OK(faceprint_policy_new(FACEPRINT_POLICY_PRESET_KIOSK, &policy, &error));
  OK(faceprint_engine_detect(engine, image, &found, &error));
  faceprint_detections_free(found);
  faceprint_policy_free(policy);
  faceprint_changes_free(changes);
  faceprint_subject_free(subject);
  faceprint_strings_free(names);
  faceprint_hits_free(hits);
  faceprint_template_free(probe);
  faceprint_tenant_free(tenant);
  faceprint_pack_free(pack);
}

int main(void) {
  static unsigned char pixels[32 * 32];
  const faceprint_image image = FACEPRINT_IMAGE(pixels, sizeof pixels, 32, 32, FACEPRINT_PIXEL_FORMAT_GRAY8);
  const long rounds = strtol(setting("ROUNDS"), NULL, 10), warm = rounds / 5;
  faceprint_gallery *gallery = gallery_at(scratch("leaks.faceprint"), 1);
  faceprint_engine *engine = engine_on(FACEPRINT_BACKEND_CHOICE_RTEN);
  long before = 0;
  for (long i = 0; i < rounds; i++) {
    if (i == warm) before = resident();
    round_trip(engine, gallery, &image, i);
    if (i % 100 == 0) { /* an engine costs as much as a hundred rounds */
      faceprint_engine_free(engine);
      engine = engine_on(FACEPRINT_BACKEND_CHOICE_RTEN);
    }
  }
  long after = resident();
  faceprint_engine_free(engine);
  faceprint_gallery_free(gallery);
  printf("leaks: %ld rounds, %ld KiB resident after %ld of them, %ld KiB at the end\n", rounds, before, warm, after);
  /* 10,000 rounds that leak 100 bytes each would add 1,000 KiB; an allocator keeps some pages more or less. What does grow
   * ends: threads of engines that are gone leave up to half a megabyte to crossbeam-epoch, which frees it in batches,
   * and SQLite's cache of pages grows with the file, 30 bytes for each erased subject, to 2 MB. */
  CHECK(after - before < 3000);
  return 0;
}
