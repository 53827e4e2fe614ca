/* Opens the gallery in GALLERY that another language made, searches it and adds somebody. */
#include "check.h"

int main(void) {
  faceprint_access *access = access_by(1);
  faceprint_gallery *gallery = NULL;
  faceprint_template *one = vector("1"), *nine = vector("9");
  faceprint_hits *hits = NULL;
  faceprint_enrollment enrollment;
  faceprint_stored_templates *stored = NULL;
  OK(faceprint_gallery_open(setting("GALLERY"), access, &gallery, &error));
  faceprint_tenant *acme = tenant_of(gallery, "acme");
  OK(faceprint_tenant_identify(acme, one, NULL, &hits, &error));
  CHECK(faceprint_hits_len(hits) == 1 && faceprint_hits_at(hits, 0)->similarity > 0.99999f);
  CHECK(strcmp(faceprint_hits_at(hits, 0)->subject, "Zo\xc3\xab of Rust") == 0);
  OK(faceprint_tenant_templates(acme, "Zo\xc3\xab of Rust", &stored, &error));
  CHECK(memcmp(faceprint_template_values(faceprint_stored_templates_at(stored, 0)->subject_template),
               faceprint_template_values(one), 128 * sizeof(float)) == 0);
  OK(faceprint_tenant_enroll(acme, "Cem of C", nine, &enrollment, &error));
  CHECK(enrollment.outcome == FACEPRINT_OUTCOME_ADDED);
  faceprint_stored_templates_free(stored);
  faceprint_hits_free(hits);
  faceprint_template_free(one);
  faceprint_template_free(nine);
  faceprint_tenant_free(acme);
  faceprint_gallery_free(gallery);
  faceprint_access_free(access);
  puts("exchange: ok");
  return 0;
}
