/* From a camera to events, and what waits in an outbox. */
#include "check.h"

static void events_wait_until_they_are_delivered(void) {
  faceprint_access *access = access_by(1);
  faceprint_outbox *outbox = NULL;
  faceprint_event event;
  faceprint_delivery *delivery = NULL;
  faceprint_sightings *seen = NULL;
  bool flag = false;
  uint64_t len = 0;
  int64_t when = 0;
  remove(scratch("door.outbox"));
  OK(faceprint_outbox_open(scratch("door.outbox"), access, FACEPRINT_OPEN_MODE_OPEN_OR_CREATE, 10, false,
                           &outbox, &error));
  memset(&event, 0, sizeof event);
  event.id.bytes[0] = 7;
  event.at = 5000;
  event.subject = "alice";
  event.similarity = 0.75f;
  OK(faceprint_outbox_push(outbox, &event, &flag, NULL, &error));
  CHECK(flag);
  OK(faceprint_outbox_push(outbox, &event, &flag, NULL, &error));
  CHECK(!flag);
  OK(faceprint_outbox_lease(outbox, 6000, 60000, &delivery, &error));
  CHECK(faceprint_delivery_attempt(delivery) == 1);
  const faceprint_event *due = faceprint_delivery_event(delivery);
  CHECK(due->at == 5000 && strcmp(due->subject, "alice") == 0 && due->similarity == 0.75f);
  CHECK(due->who == FACEPRINT_WHO_SUBJECT && due->liveness.threshold == 0);
  OK(faceprint_outbox_retry(outbox, &due->id, 6000, &when, &error));
  CHECK(when == 7000);
  faceprint_delivery_free(delivery);
  OK(faceprint_outbox_lease(outbox, 6500, 60000, &delivery, &error));
  CHECK(delivery == NULL);
  OK(faceprint_outbox_ack(outbox, &event.id, &flag, &error));
  CHECK(flag);
  OK(faceprint_outbox_len(outbox, &len, &error));
  CHECK(len == 0);
  OK(faceprint_outbox_sightings(outbox, &seen, &error));
  CHECK(faceprint_sightings_len(seen) == 1 && faceprint_sightings_at(seen, 0)->at == 5000);
  OK(faceprint_outbox_remember(outbox, faceprint_sightings_at(seen, 0), 1, &error));
  faceprint_sightings_free(seen);

  /* All kinds of events; who is erased is in none of them, nor was seen. */
  faceprint_events *waiting = NULL;
  uint64_t erased = 0;
  OK(faceprint_outbox_push(outbox, &event, NULL, NULL, &error));
  event.id.bytes[0] = 8;
  event.subject = NULL;
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_outbox_push(outbox, &event, NULL, NULL, &error));
  event.who = 3;
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_outbox_push(outbox, &event, NULL, NULL, &error));
  event.who = FACEPRINT_WHO_VISITOR;
  event.visitor[7] = 5;
  OK(faceprint_outbox_push(outbox, &event, NULL, NULL, &error));
  event.id.bytes[0] = 9;
  event.who = FACEPRINT_WHO_SUSPECTED;
  event.liveness.score = 0.25f;
  event.liveness.threshold = 0.5f;
  OK(faceprint_outbox_push(outbox, &event, NULL, NULL, &error));
  OK(faceprint_outbox_peek(outbox, 2, &waiting, &error));
  CHECK(faceprint_events_len(waiting) == 2 && faceprint_events_at(waiting, 2) == NULL);
  CHECK(strcmp(faceprint_events_at(waiting, 0)->subject, "alice") == 0);
  faceprint_events_free(waiting);
  OK(faceprint_outbox_erase(outbox, "alice", &erased, &error));
  CHECK(erased == 1);
  OK(faceprint_outbox_erase(outbox, "alice", NULL, &error));
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_outbox_erase(outbox, NULL, NULL, &error));
  OK(faceprint_outbox_sightings(outbox, &seen, &error));
  CHECK(faceprint_sightings_len(seen) == 0);
  faceprint_sightings_free(seen);
  OK(faceprint_outbox_peek(outbox, 10, &waiting, &error));
  CHECK(faceprint_events_len(waiting) == 2);
  const faceprint_event *visitor = faceprint_events_at(waiting, 0), *suspected = faceprint_events_at(waiting, 1);
  CHECK(visitor->who == FACEPRINT_WHO_VISITOR && visitor->visitor[7] == 5 && visitor->subject == NULL);
  CHECK(suspected->who == FACEPRINT_WHO_SUSPECTED && suspected->id.bytes[0] == 9 && suspected->visitor[7] == 5);
  CHECK(suspected->liveness.score == 0.25f && suspected->liveness.threshold == 0.5f);
  faceprint_events_free(waiting);
  faceprint_outbox_free(outbox);
  faceprint_access_free(access);
}

static void a_camera_gives_one_event_for_a_visit(void) {
  faceprint_engine *engine = engine_on(FACEPRINT_BACKEND_CHOICE_AUTO);
  faceprint_pack *pack = bundled();
  faceprint_space_id space;
  faceprint_gallery *gallery = NULL;
  faceprint_access *access = access_by(1);
  OK(faceprint_pack_space(pack, &space, &error));
  remove(scratch("door.faceprint"));
  OK(faceprint_gallery_create(scratch("door.faceprint"), access, &space, &gallery, &error));
  faceprint_tenant *acme = tenant_of(gallery, "acme");
  faceprint_picture *known = picture_of("people/elva/1.jpg"), *seen = picture_of("people/elva/2.jpg");
  faceprint_image first = faceprint_picture_image(known), frame = faceprint_picture_image(seen);
  faceprint_faces *faces = NULL;
  faceprint_enrollment enrollment;
  OK(faceprint_engine_analyze(engine, &first, &faces, &error));
  OK(faceprint_tenant_enroll(acme, "elva", faceprint_faces_at(faces, 0)->face_template, &enrollment, &error));
  faceprint_faces_free(faces);
  faceprint_stream_options options = FACEPRINT_STREAM_OPTIONS_INIT;
  faceprint_stream *stream = NULL;
  options.confirm_after = 2;
  OK(faceprint_stream_new(engine, acme, &options, NULL, 0, &stream, &error));
  size_t events = 0;
  for (int i = 0; i < 4; i++) {
    faceprint_events *decided = NULL;
    OK(faceprint_stream_push(stream, &frame, 1000 + 100 * i, &decided, &error));
    if (faceprint_events_len(decided) > 0) {
      CHECK(strcmp(faceprint_events_at(decided, 0)->subject, "elva") == 0);
      CHECK(faceprint_events_at(decided, 0)->at == 1000 + 100 * i && i >= 1);
      CHECK(faceprint_events_at(decided, 0)->who == FACEPRINT_WHO_SUBJECT);
    }
    events += faceprint_events_len(decided);
    faceprint_events_free(decided);
  }
  CHECK(events == 1 && faceprint_stream_stats(stream).frames == 4);
  faceprint_followed_faces *followed = NULL;
  OK(faceprint_stream_followed(stream, &followed, &error));
  CHECK(faceprint_followed_faces_len(followed) == 1);
  CHECK(strcmp(faceprint_followed_faces_at(followed, 0)->subject, "elva") == 0);
  faceprint_followed_faces_free(followed);
  faceprint_sightings *sightings = NULL;
  OK(faceprint_stream_sightings(stream, &sightings, &error));
  CHECK(faceprint_sightings_at(sightings, 0)->at == 1300);
  faceprint_stream *next = NULL;
  OK(faceprint_stream_new(engine, acme, NULL, faceprint_sightings_at(sightings, 0),
                          faceprint_sightings_len(sightings), &next, &error));
  faceprint_stream_free(next);
  faceprint_sightings_free(sightings);
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_stream_forget(stream, "", &error));
  OK(faceprint_stream_forget(stream, "elva", &error));
  OK(faceprint_stream_sightings(stream, &sightings, &error));
  CHECK(faceprint_sightings_len(sightings) == 0);
  faceprint_sightings_free(sightings);
  OK(faceprint_stream_followed(stream, &followed, &error));
  CHECK(faceprint_followed_faces_len(followed) == 1);
  CHECK(!faceprint_followed_faces_at(followed, 0)->decided);
  faceprint_followed_faces_free(followed);

  /* The bundled models cannot tell who is alive. */
  faceprint_stream *judging = NULL;
  faceprint_events *none = NULL;
  options.liveness = 5;
  OK(faceprint_stream_new(engine, acme, &options, NULL, 0, &judging, &error));
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_stream_push(judging, &frame, 1000, &none, &error));
  CHECK(faceprint_stream_stats(judging).judged == 0);
  faceprint_stream_free(judging);
  options.liveness = 100;
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_stream_new(engine, acme, &options, NULL, 0, &judging, &error));
  faceprint_stream_free(stream);
  faceprint_picture_free(known);
  faceprint_picture_free(seen);
  faceprint_tenant_free(acme);
  faceprint_gallery_free(gallery);
  faceprint_access_free(access);
  faceprint_pack_free(pack);
  faceprint_engine_free(engine);
}

int main(void) {
  events_wait_until_they_are_delivered();
  if (getenv("QUICK") == NULL) a_camera_gives_one_event_for_a_visit();
  puts("events: ok");
  return 0;
}
