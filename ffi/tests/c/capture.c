/* From pictures to faces, samples and templates. */
#include "check.h"

static faceprint_engine *engine;

static void a_portrait_is_captured(void) {
  faceprint_picture *picture = picture_of("people/elva/1.jpg");
  faceprint_image image = faceprint_picture_image(picture);
  faceprint_sample *sample = NULL;
  faceprint_issues *issues = NULL;
  OK(faceprint_engine_capture(engine, &image, &sample, &issues, &error));
  CHECK(sample != NULL && issues == NULL);
  const faceprint_face *face = faceprint_sample_face(sample);
  CHECK(face->detection.score > 0.8f && face->detection.bounds.width > 80);
  CHECK(faceprint_quality_get(face->quality, FACEPRINT_MEASURE_SCORE) > 45);
  CHECK(isnan(faceprint_quality_get(face->quality, 4711)));
  CHECK(faceprint_quality_component(face->quality, FACEPRINT_MEASURE_YAW) > 50);
  CHECK(faceprint_template_dimension(faceprint_sample_template(sample)) == 512);
  faceprint_liveness liveness;
  CHECK(!faceprint_sample_liveness(sample, &liveness));
  CHECK(!faceprint_engine_has_liveness(engine) && !faceprint_engine_has_liveness(NULL));

  /* The same by its parts. */
  faceprint_template *alone = NULL;
  float similarity = 0;
  OK(faceprint_engine_template(engine, &image, &face->detection.landmarks, &alone, &error));
  OK(faceprint_template_similarity(alone, faceprint_sample_template(sample), &similarity, &error));
  CHECK(similarity > 0.9999f);
  faceprint_picture *crop = NULL;
  faceprint_template *from_crop = NULL;
  OK(faceprint_engine_crop(engine, &image, &face->detection.landmarks, &crop, &error));
  CHECK(faceprint_picture_image(crop).width == 112);
  const faceprint_picture *crops[1] = {crop};
  OK(faceprint_engine_templates_of_crops(engine, crops, 1, &from_crop, &error));
  OK(faceprint_template_similarity(alone, from_crop, &similarity, &error));
  CHECK(similarity > 0.9999f);
  faceprint_quality *quality = NULL;
  OK(faceprint_engine_quality(engine, &image, &face->detection, &quality, &error));
  faceprint_policy *policy = NULL;
  OK(faceprint_policy_new(FACEPRINT_POLICY_PRESET_ANY, &policy, &error));
  OK(faceprint_policy_judge(policy, quality, &issues, &error));
  CHECK(faceprint_issues_len(issues) == 0);
  faceprint_issues_free(issues);
  OK(faceprint_policy_at_least(policy, FACEPRINT_MEASURE_FACE_SIZE, 5000, &error));
  CHECK(faceprint_policy_minimum(policy, FACEPRINT_MEASURE_FACE_SIZE) == 5000);
  CHECK(isnan(faceprint_policy_maximum(policy, FACEPRINT_MEASURE_FACE_SIZE)));
  OK(faceprint_policy_judge(policy, quality, &issues, &error));
  CHECK(faceprint_issues_len(issues) == 1);
  CHECK(strcmp(faceprint_issues_at(issues, 0)->name, "too_small") == 0);
  CHECK(faceprint_issues_at(issues, 0)->measure == FACEPRINT_MEASURE_FACE_SIZE);
  CHECK(strstr(faceprint_issues_at(issues, 0)->message, "minimum is 5000") != NULL);
  CHECK(faceprint_issues_at(issues, 1) == NULL);

  faceprint_issues_free(issues);
  faceprint_policy_free(policy);
  faceprint_quality_free(quality);
  faceprint_template_free(from_crop);
  faceprint_picture_free(crop);
  faceprint_template_free(alone);
  faceprint_sample_free(sample);
  faceprint_picture_free(picture);
}

static void an_empty_picture_has_a_reason(void) {
  unsigned char pixels[64 * 64] = {0};
  faceprint_image image = FACEPRINT_IMAGE(pixels, sizeof pixels, 64, 64, FACEPRINT_PIXEL_FORMAT_GRAY8);
  faceprint_sample *sample = NULL;
  faceprint_issues *issues = NULL;
  OK(faceprint_engine_capture(engine, &image, &sample, &issues, &error));
  CHECK(sample == NULL && faceprint_issues_len(issues) == 1);
  CHECK(strcmp(faceprint_issues_at(issues, 0)->name, "no_face") == 0);
  CHECK(faceprint_issues_at(issues, 0)->measure == -1);
  faceprint_issues_free(issues);
}

static void many_pictures_at_once(void) {
  faceprint_picture *pictures[2] = {picture_of("group.jpg"), picture_of("people/faro/1.jpg")};
  faceprint_image images[2] = {faceprint_picture_image(pictures[0]), faceprint_picture_image(pictures[1])};
  faceprint_faces *faces[2] = {NULL, NULL};
  faceprint_detections *found = NULL;
  OK(faceprint_engine_analyze_all(engine, images, 2, NULL, NULL, faces, &error));
  CHECK(faceprint_faces_len(faces[0]) == 6 && faceprint_faces_len(faces[1]) == 1);
  CHECK(faceprint_faces_at(faces[0], 6) == NULL);
  faceprint_faces_free(faces[0]);
  faceprint_faces_free(faces[1]);
  OK(faceprint_engine_detect(engine, &images[0], &found, &error));
  CHECK(faceprint_detections_len(found) == 6);
  faceprint_detections_free(found);
  faceprint_picture_free(pictures[0]);
  faceprint_picture_free(pictures[1]);
}

static void the_best_of_several_frames(void) {
  const char *names[3] = {"people/alva/1.jpg", "people/alva/2.jpg", "people/benno/1.jpg"};
  faceprint_picture *pictures[3];
  faceprint_image images[3];
  faceprint_selection *selection = NULL;
  faceprint_series *series = NULL;
  float same = 0;
  size_t frame = 9;
  OK(faceprint_engine_threshold(engine, 1e-3, &same, &error));
  OK(faceprint_series_new(same, &series, &error));
  for (int i = 0; i < 3; i++) {
    faceprint_sample *sample = NULL;
    faceprint_issues *issues = NULL;
    pictures[i] = picture_of(names[i]);
    images[i] = faceprint_picture_image(pictures[i]);
    OK(faceprint_engine_capture(engine, &images[i], &sample, &issues, &error));
    OK(faceprint_series_push(series, sample, issues, &error));
    faceprint_sample_free(sample);
    faceprint_issues_free(issues);
  }
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_series_push(series, NULL, NULL, &error));
  OK(faceprint_engine_capture_best(engine, images, 3, same, 2, &selection, &error));
  CHECK(faceprint_selection_sample(selection) != NULL);
  CHECK(faceprint_selection_frame(selection) < 2 && faceprint_selection_agreeing(selection) == 2);
  CHECK(faceprint_selection_consistency(selection) > same);
  CHECK(faceprint_selection_rejected_len(selection) == 1);
  const faceprint_issues *why = faceprint_selection_rejected_at(selection, 0, &frame);
  CHECK(frame == 2 && strcmp(faceprint_issues_at(why, 0)->name, "another_face") == 0);
  faceprint_selection_free(selection);
  OK(faceprint_series_select(series, 3, &selection, &error));
  CHECK(faceprint_selection_sample(selection) == NULL && faceprint_selection_agreeing(selection) == 2);
  faceprint_selection_free(selection);
  faceprint_series_free(series);
  for (int i = 0; i < 3; i++) faceprint_picture_free(pictures[i]);
}

static void packs_say_what_they_are(void) {
  faceprint_pack *pack = bundled();
  faceprint_search_threshold search;
  float loose = 0, strict = 0;
  CHECK(strcmp(faceprint_pack_name(pack), "bundled") == 0);
  CHECK(faceprint_pack_models_len(pack) == 2);
  CHECK(strcmp(faceprint_pack_models_at(pack, 0)->role, "detector") == 0);
  CHECK(strcmp(faceprint_pack_models_at(pack, 1)->license, "MIT OR Apache-2.0") == 0);
  CHECK(faceprint_pack_liveness_threshold(pack) == -1);
  OK(faceprint_pack_threshold(pack, 1e-2, &loose, &error));
  OK(faceprint_pack_threshold(pack, 1e-4, &strict, &error));
  CHECK(loose < strict);
  OK(faceprint_pack_threshold_for(pack, 0.01, 5000, &search, &error));
  CHECK(search.extrapolated && search.similarity > strict && search.ci95_high <= search.fmr);
  faceprint_pack_free(pack);
}

int main(void) {
  engine = engine_on(FACEPRINT_BACKEND_CHOICE_AUTO);
  packs_say_what_they_are();
  a_portrait_is_captured();
  an_empty_picture_has_a_reason();
  if (getenv("QUICK") == NULL) {
    many_pictures_at_once();
    the_best_of_several_frames();
  }
  faceprint_engine_free(engine);
  puts("capture: ok");
  return 0;
}
