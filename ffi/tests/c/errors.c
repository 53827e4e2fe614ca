/* What is wrong is said, and nothing else happens. */
#include "check.h"

static void null_is_taken(void) {
  faceprint_error_free(NULL);
  faceprint_pack_free(NULL);
  faceprint_engine_free(NULL);
  faceprint_picture_free(NULL);
  faceprint_template_free(NULL);
  faceprint_detections_free(NULL);
  faceprint_faces_free(NULL);
  faceprint_sample_free(NULL);
  faceprint_issues_free(NULL);
  faceprint_quality_free(NULL);
  faceprint_policy_free(NULL);
  faceprint_series_free(NULL);
  faceprint_selection_free(NULL);
  faceprint_access_free(NULL);
  faceprint_gallery_free(NULL);
  faceprint_tenant_free(NULL);
  faceprint_hits_free(NULL);
  faceprint_strings_free(NULL);
  faceprint_string_free(NULL);
  faceprint_stream_free(NULL);
  faceprint_outbox_free(NULL);
  faceprint_bundle_free(NULL);
  CHECK(faceprint_error_status(NULL) == FACEPRINT_STATUS_OK);
  CHECK(strcmp(faceprint_error_message(NULL), "") == 0);
  CHECK(faceprint_hits_len(NULL) == 0 && faceprint_hits_at(NULL, 0) == NULL);
  CHECK(faceprint_faces_len(NULL) == 0 && faceprint_faces_at(NULL, 7) == NULL);
  CHECK(faceprint_pack_name(NULL) == NULL && faceprint_engine_backend(NULL) == NULL);
  CHECK(faceprint_picture_image(NULL).data == NULL);
  CHECK(isnan(faceprint_quality_get(NULL, 0)));
  CHECK(faceprint_stream_stats(NULL).frames == 0);
}

static void null_is_refused(void) {
  faceprint_engine *engine = NULL;
  faceprint_gallery *gallery = NULL;
  faceprint_access *access = access_by(1);
  faceprint_pack *pack = bundled();
  faceprint_hits *hits = NULL;
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_pack_bundled(NULL, &error));
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_engine_new(NULL, NULL, &engine, &error));
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_engine_new(pack, NULL, NULL, &error));
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_gallery_open(NULL, access, &gallery, &error));
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_gallery_open("x", NULL, &gallery, &error));
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_tenant_identify(NULL, NULL, NULL, &hits, &error));
  CHECK(engine == NULL && gallery == NULL && hits == NULL);
  /* The error itself is nobody's wish. */
  CHECK(faceprint_engine_new(NULL, NULL, &engine, NULL) == FACEPRINT_STATUS_INVALID_ARGUMENT);
  faceprint_access_free(access);
  faceprint_pack_free(pack);
}

static void options_have_a_size(void) {
  faceprint_pack *pack = bundled();
  faceprint_engine *engine = NULL;
  faceprint_engine_options options = FACEPRINT_ENGINE_OPTIONS_INIT;
  options.struct_size = 0;
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_engine_new(pack, &options, &engine, &error));
  options.struct_size = sizeof options - 1;
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_engine_new(pack, &options, &engine, &error));
  options.struct_size = sizeof options + 8;
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_engine_new(pack, &options, &engine, &error));
  /* A program that knows less: what lies behind is not read. */
  options.struct_size = offsetof(faceprint_engine_options, library);
  options.threads = 0;
  options.backend = FACEPRINT_BACKEND_CHOICE_RTEN;
  OK(faceprint_engine_new(pack, &options, &engine, &error));
  CHECK(strcmp(faceprint_engine_backend(engine)->name, "rten") == 0);
  faceprint_engine_free(engine);
  options.struct_size = sizeof options;
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_engine_new(pack, &options, &engine, &error));
  options.threads = FACEPRINT_DEFAULT;
  options.backend = 77;
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_engine_new(pack, &options, &engine, &error));
  faceprint_pack_free(pack);
}

static void texts_are_utf8(void) {
  faceprint_gallery *gallery = gallery_at(scratch("utf8.faceprint"), 1);
  faceprint_tenant *tenant = NULL;
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_gallery_tenant(gallery, "a\xff", &tenant, &error));
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_gallery_tenant(gallery, "", &tenant, &error));
  OK(faceprint_gallery_tenant(gallery, "Zo\xc3\xab", &tenant, &error));
  CHECK(strcmp(faceprint_tenant_id(tenant), "Zo\xc3\xab") == 0);
  faceprint_tenant_free(tenant);
  faceprint_gallery_free(gallery);
}

static void messages_say_what_and_how_much(void) {
  unsigned char pixels[47] = {0};
  faceprint_image image = FACEPRINT_IMAGE(pixels, sizeof pixels, 4, 4, FACEPRINT_PIXEL_FORMAT_RGB8);
  faceprint_engine *engine = engine_on(FACEPRINT_BACKEND_CHOICE_RTEN);
  faceprint_detections *found = NULL;
  faceprint_error *why = NULL;
  CHECK(faceprint_engine_detect(engine, &image, &found, &why) == FACEPRINT_STATUS_INVALID_IMAGE);
  CHECK(strstr(faceprint_error_message(why), "47 bytes") != NULL);
  CHECK(strstr(faceprint_error_message(why), "48") != NULL);
  faceprint_error_free(why);
  image.format = 99;
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_engine_detect(engine, &image, &found, &error));
  image.format = FACEPRINT_PIXEL_FORMAT_GRAY8;
  image.orientation = 9;
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_engine_detect(engine, &image, &found, &error));
  CHECK(found == NULL);
  faceprint_engine_free(engine);
}

int main(void) {
  CHECK(strcmp(faceprint_version(), FACEPRINT_VERSION) == 0);
  null_is_taken();
  null_is_refused();
  options_have_a_size();
  texts_are_utf8();
  messages_say_what_and_how_much();
  puts("errors: ok");
  return 0;
}
