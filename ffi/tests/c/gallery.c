/* A gallery through its whole life: keys, people, copies elsewhere, bundles. */
#include "check.h"

/* A key service whose cipher is an exclusive or. */
typedef struct {
  unsigned char key;
  int wrapped, unwrapped, released;
  bool refuses;
} service;

static int32_t wrap(void *user, const uint8_t *key, faceprint_answer *answer) {
  service *kms = (service *)user;
  uint8_t sealed[33];
  kms->wrapped++;
  if (kms->refuses) {
    faceprint_answer_refuse(answer, "the service is closed on Sundays");
    return 1;
  }
  sealed[0] = kms->key;
  for (int i = 0; i < 32; i++) sealed[i + 1] = key[i] ^ kms->key;
  faceprint_answer_set(answer, sealed, sizeof sealed);
  return 0;
}

static int32_t unwrap(void *user, const uint8_t *sealed, size_t len, faceprint_answer *answer) {
  service *kms = (service *)user;
  uint8_t key[32];
  kms->unwrapped++;
  if (kms->refuses || len != 33 || sealed[0] != kms->key) return 7;
  for (int i = 0; i < 32; i++) key[i] = sealed[i + 1] ^ kms->key;
  faceprint_answer_set(answer, key, sizeof key);
  return 0;
}

static void release(void *user) { ((service *)user)->released++; }

static void keys_may_stay_elsewhere(void) {
  service kms = {0x5a, 0, 0, 0, false};
  faceprint_key_provider provider = FACEPRINT_KEY_PROVIDER_INIT;
  faceprint_access *access = NULL, *key = access_by(3), *words = NULL;
  faceprint_gallery *gallery = NULL;
  faceprint_slots *slots = NULL;
  faceprint_space_id space = space_of(1);
  faceprint_error *why = NULL;
  int64_t slot = 0;
  const char *path = scratch("kms.faceprint");
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_access_provider(&provider, &access, &error));
  provider.user = &kms;
  provider.wrap = wrap;
  provider.unwrap = unwrap;
  provider.release = release;
  OK(faceprint_access_provider(&provider, &access, &error));
  kms.refuses = true;
  CHECK(faceprint_gallery_create(path, access, &space, &gallery, &why) == FACEPRINT_STATUS_KEY_PROVIDER);
  CHECK(strstr(faceprint_error_message(why), "closed on Sundays") != NULL);
  faceprint_error_free(why);
  kms.refuses = false;
  OK(faceprint_gallery_create(path, access, &space, &gallery, &error));
  CHECK(kms.wrapped == 2 && kms.unwrapped == 0);
  OK(faceprint_gallery_add_access(gallery, key, &slot, &error));
  OK(faceprint_access_passphrase_with_cost("correct horse", 8192, 1, 1, &words, &error));
  OK(faceprint_gallery_add_access(gallery, words, NULL, &error));
  OK(faceprint_gallery_slots(gallery, &slots, &error));
  CHECK(faceprint_slots_len(slots) == 3);
  CHECK(faceprint_slots_at(slots, 0)->kind == FACEPRINT_SLOT_KIND_PROVIDER);
  CHECK(faceprint_slots_at(slots, 1)->id == slot);
  CHECK(faceprint_slots_at(slots, 2)->kind == FACEPRINT_SLOT_KIND_PASSPHRASE);
  faceprint_slots_free(slots);
  OK(faceprint_gallery_remove_access(gallery, slot, &error));
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_gallery_remove_access(gallery, slot, &error));
  faceprint_gallery_free(gallery);
  FAILS(FACEPRINT_STATUS_WRONG_KEY, faceprint_gallery_open(path, key, &gallery, &error));
  OK(faceprint_gallery_open(path, words, &gallery, &error));
  faceprint_gallery_free(gallery);
  OK(faceprint_gallery_open_read_only(path, access, &gallery, &error));
  CHECK(kms.unwrapped == 1);
  faceprint_gallery_free(gallery);
  CHECK(kms.released == 0);
  faceprint_access_free(access);
  CHECK(kms.released == 1);
  faceprint_access_free(words);
  faceprint_access_free(key);
}

static int64_t now = 1000000;
static int64_t tick(void *user) {
  (void)user;
  return now;
}

static void people_come_and_go(void) {
  faceprint_gallery *file = gallery_at(scratch("people.faceprint"), 1), *gallery = NULL;
  faceprint_enrollment enrollment;
  faceprint_template *one = vector("1"), *near_one = vector("1+0.5*2"), *two = vector("2");
  faceprint_details details = FACEPRINT_DETAILS_INIT;
  faceprint_subject *subject = NULL;
  faceprint_stored_templates *stored = NULL;
  faceprint_erased erased;
  faceprint_info info;
  faceprint_strings *names = NULL;
  faceprint_string *head = NULL;
  OK(faceprint_gallery_with_clock(file, tick, NULL, &gallery, &error));
  OK(faceprint_gallery_busy_timeout(gallery, 100, &error));
  faceprint_tenant *acme = tenant_of(gallery, "acme");
  OK(faceprint_tenant_enroll(acme, "alice", one, &enrollment, &error));
  CHECK(enrollment.outcome == FACEPRINT_OUTCOME_ADDED && enrollment.duplicate_of[0] == 0);
  faceprint_template_id first = enrollment.id;
  OK(faceprint_tenant_enroll(acme, "bob", near_one, &enrollment, &error));
  CHECK(enrollment.outcome == FACEPRINT_OUTCOME_DUPLICATE);
  CHECK(strcmp(enrollment.duplicate_of, "alice") == 0 && enrollment.similarity > 0.8f);

  /* With less in memory, the same answer. */
  faceprint_gallery *lean = NULL;
  float full_says = 0, lean_says = 1;
  size_t full_bytes = 0, lean_bytes = 0;
  OK(faceprint_gallery_with_memory(gallery, FACEPRINT_MEMORY_LEAN, &lean, &error));
  faceprint_tenant *lean_acme = tenant_of(lean, "acme");
  OK(faceprint_tenant_verify(acme, "alice", near_one, &full_says, &error));
  OK(faceprint_tenant_verify(lean_acme, "alice", near_one, &lean_says, &error));
  CHECK(full_says == lean_says && full_says > 0.8f);
  faceprint_tenant_free(lean_acme);
  faceprint_gallery_free(lean);
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_gallery_with_memory(gallery, 2, &lean, &error));
  OK(faceprint_memory_bytes_per_template(FACEPRINT_MEMORY_FULL, 512, &full_bytes, &error));
  OK(faceprint_memory_bytes_per_template(FACEPRINT_MEMORY_LEAN, 512, &lean_bytes, &error));
  CHECK(full_bytes - lean_bytes == 512 * sizeof(float));

  /* Without the check, and with what is known of the picture. */
  faceprint_enroll_policy policy = FACEPRINT_ENROLL_POLICY_INIT;
  faceprint_tenant *lax = NULL;
  policy.check_duplicates = false;
  OK(faceprint_tenant_with_policy(acme, &policy, &lax, &error));
  faceprint_new_template batch[2] = {FACEPRINT_NEW_TEMPLATE_INIT, FACEPRINT_NEW_TEMPLATE_INIT};
  float quality = 81.5f;
  faceprint_landmarks marks = {{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}};
  faceprint_enrollments *outcomes = NULL;
  batch[0].subject = "bob";
  batch[0].subject_template = near_one;
  batch[0].quality = &quality;
  batch[0].landmarks = &marks;
  batch[1].subject = "carol";
  batch[1].subject_template = two;
  OK(faceprint_tenant_enroll_all(lax, batch, 2, NULL, NULL, &outcomes, &error));
  CHECK(faceprint_enrollments_len(outcomes) == 2);
  faceprint_enrollments_free(outcomes);
  OK(faceprint_tenant_templates(acme, "bob", &stored, &error));
  const faceprint_stored_template *kept = faceprint_stored_templates_at(stored, 0);
  CHECK(kept->has_quality && kept->quality == 81.5f && kept->has_landmarks);
  CHECK(kept->landmarks.right_mouth.y == 10 && kept->enrolled_at == now);
  CHECK(memcmp(faceprint_template_values(kept->subject_template), faceprint_template_values(near_one),
               128 * sizeof(float)) == 0);
  faceprint_stored_templates_free(stored);

  faceprint_pairs *pairs = NULL;
  OK(faceprint_tenant_find_duplicates(acme, 0.6f, NULL, NULL, &pairs, &error));
  CHECK(faceprint_pairs_len(pairs) == 1 && strcmp(faceprint_pairs_at(pairs, 0)->subject, "alice") == 0);
  CHECK(strcmp(faceprint_pairs_at(pairs, 0)->other, "bob") == 0);
  faceprint_pairs_free(pairs);

  const faceprint_template *probes[2] = {one, two};
  faceprint_hits *hits[2] = {NULL, NULL};
  faceprint_query query = FACEPRINT_QUERY_INIT;
  const char *roster[1] = {"carol"};
  query.limit = 5;
  query.among = roster;
  query.among_len = 1;
  OK(faceprint_tenant_identify_all(acme, probes, 2, &query, hits, &error));
  CHECK(faceprint_hits_len(hits[0]) == 1 && faceprint_hits_at(hits[1], 0)->similarity > 0.999f);
  CHECK(faceprint_hits_audited_recall(hits[0]) == 1);
  faceprint_hits_free(hits[0]);
  faceprint_hits_free(hits[1]);
  query.among_len = 0; /* an empty roster */
  OK(faceprint_tenant_identify(acme, one, &query, &hits[0], &error));
  CHECK(faceprint_hits_len(hits[0]) == 0);
  faceprint_hits_free(hits[0]);

  details.metadata = "{\"card\": 7}";
  details.consent = 999;
  details.expires_at = now + 10;
  OK(faceprint_tenant_set_details(acme, "alice", &details, &error));
  OK(faceprint_tenant_subject(acme, "alice", &subject, &error));
  CHECK(strcmp(faceprint_subject_metadata(subject), "{\"card\": 7}") == 0);
  CHECK(faceprint_subject_consent(subject) == 999 && faceprint_subject_expires_at(subject) == now + 10);
  CHECK(faceprint_subject_templates(subject) == 1 && faceprint_subject_enrolled_at(subject) == now);
  CHECK(strlen(faceprint_subject_reference(subject)) > 33);
  faceprint_subject_free(subject);
  OK(faceprint_gallery_head(gallery, &head, &error));
  now += 10;
  FAILS(FACEPRINT_STATUS_SUBJECT_NOT_FOUND, faceprint_tenant_subject(acme, "alice", &subject, &error));
  OK(faceprint_tenant_purge_expired(acme, &erased, &error));
  CHECK(erased.subjects == 1 && erased.templates == 1);
  OK(faceprint_gallery_check_head(gallery, faceprint_string_get(head), &error));
  faceprint_string_free(head);
  FAILS(FACEPRINT_STATUS_SUBJECT_NOT_FOUND, faceprint_tenant_remove_template(acme, "alice", &first, &error));
  OK(faceprint_tenant_replace(acme, "carol", two, &enrollment, &error));
  OK(faceprint_tenant_remove_template(acme, "carol", &enrollment.id, &error));
  OK(faceprint_tenant_erase(acme, "bob", NULL, &error));
  OK(faceprint_tenant_subjects(acme, &names, &error));
  CHECK(faceprint_strings_len(names) == 1 && strcmp(faceprint_strings_at(names, 0), "carol") == 0);
  faceprint_strings_free(names);
  OK(faceprint_gallery_info(gallery, &info, &error));
  CHECK(info.tenants == 1 && info.subjects == 1 && info.templates == 0);

  /* Another model. */
  faceprint_space_id other = space_of(2);
  faceprint_spaces *spaces = NULL;
  OK(faceprint_gallery_add_space(gallery, &other, &error));
  OK(faceprint_tenant_spaces(acme, &spaces, &error));
  CHECK(faceprint_spaces_len(spaces) == 2 && faceprint_spaces_at(spaces, 1)->lacking == 1);
  faceprint_spaces_free(spaces);
  OK(faceprint_gallery_remove_space(gallery, &other, false, &error));
  remove(scratch("copy.faceprint"));
  OK(faceprint_gallery_backup(gallery, scratch("copy.faceprint"), &error));
  OK(faceprint_gallery_check(gallery, &error));
  OK(faceprint_gallery_compact(gallery, &error));

  uint32_t state = 99;
  faceprint_space_id space = space_of(1);
  OK(faceprint_tenant_index_state(acme, &space, &state, &error));
  CHECK(state == FACEPRINT_INDEX_STATE_EXACT);
  faceprint_tenant_free(lax);
  faceprint_gallery_free(gallery);
  faceprint_gallery_free(file); /* the tenant keeps the file */
  OK(faceprint_tenant_enroll(acme, "dora", one, &enrollment, &error));
  faceprint_tenant_free(acme);
  faceprint_template_free(one);
  faceprint_template_free(near_one);
  faceprint_template_free(two);
}

/* With the details in the same commit, and who else looks nearly the same. */
static void an_enrolment_is_one_commit(void) {
  faceprint_gallery *gallery = gallery_at(scratch("details.faceprint"), 1);
  faceprint_tenant *acme = tenant_of(gallery, "acme"), *strict = NULL, *silent = NULL;
  faceprint_template *one = vector("1"), *like_one = vector("1+1.5*2"), *three = vector("3");
  faceprint_details details = FACEPRINT_DETAILS_INIT;
  faceprint_enroll_policy policy = FACEPRINT_ENROLL_POLICY_INIT;
  faceprint_new_template new_one = FACEPRINT_NEW_TEMPLATE_INIT;
  faceprint_enrollments *outcomes = NULL;
  faceprint_enrollment enrollment;
  faceprint_subject *subject = NULL;
  faceprint_info before, after;
  float similarity = 0;
  details.metadata = "{\"card\": 7}";
  details.consent = 999;
  details.expires_at = 4102444800000;
  new_one.subject = "alice";
  new_one.subject_template = one;
  new_one.details = &details;
  OK(faceprint_gallery_info(gallery, &before, &error));
  OK(faceprint_tenant_enroll_all(acme, &new_one, 1, NULL, NULL, &outcomes, &error));
  OK(faceprint_gallery_info(gallery, &after, &error));
  CHECK(after.sequence == before.sequence + 1);
  CHECK(faceprint_enrollments_at(outcomes, 0)->near_misses == 0);
  CHECK(faceprint_enrollments_near_misses_len(outcomes, 0) == 0);
  faceprint_enrollments_free(outcomes);
  OK(faceprint_tenant_subject(acme, "alice", &subject, &error));
  CHECK(strcmp(faceprint_subject_metadata(subject), "{\"card\": 7}") == 0);
  CHECK(faceprint_subject_consent(subject) == 999 && faceprint_subject_expires_at(subject) == 4102444800000);
  faceprint_subject_free(subject);

  /* Wrong details, and nobody is enrolled. */
  new_one.subject = "carol";
  new_one.subject_template = three;
  details.metadata = "{";
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT,
        faceprint_tenant_enroll_all(acme, &new_one, 1, NULL, NULL, &outcomes, &error));
  details.struct_size = 3;
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT,
        faceprint_tenant_enroll_all(acme, &new_one, 1, NULL, NULL, &outcomes, &error));
  FAILS(FACEPRINT_STATUS_SUBJECT_NOT_FOUND, faceprint_tenant_subject(acme, "carol", &subject, &error));

  OK(faceprint_template_similarity(one, like_one, &similarity, &error));
  policy.duplicate_at = similarity + 0.05f;
  OK(faceprint_tenant_with_policy(acme, &policy, &strict, &error));
  policy.near_miss_margin = 0;
  OK(faceprint_tenant_with_policy(acme, &policy, &silent, &error));
  OK(faceprint_tenant_enroll(silent, "dora", like_one, &enrollment, &error));
  CHECK(enrollment.outcome == FACEPRINT_OUTCOME_ADDED && enrollment.near_misses == 0);
  OK(faceprint_tenant_erase(acme, "dora", NULL, &error));
  OK(faceprint_tenant_enroll(strict, "dora", like_one, &enrollment, &error));
  CHECK(enrollment.outcome == FACEPRINT_OUTCOME_ADDED && enrollment.near_misses == 1);
  OK(faceprint_tenant_erase(acme, "dora", NULL, &error));
  new_one.subject = "dora";
  new_one.subject_template = like_one;
  new_one.details = NULL;
  OK(faceprint_tenant_enroll_all(strict, &new_one, 1, NULL, NULL, &outcomes, &error));
  CHECK(faceprint_enrollments_near_misses_len(outcomes, 0) == 1);
  const faceprint_near_miss *near_miss = faceprint_enrollments_near_misses_at(outcomes, 0, 0);
  CHECK(strcmp(near_miss->subject, "alice") == 0 && fabsf(near_miss->similarity - similarity) < 1e-5f);
  CHECK(faceprint_enrollments_near_misses_at(outcomes, 0, 1) == NULL);
  CHECK(faceprint_enrollments_near_misses_at(outcomes, 1, 0) == NULL);
  CHECK(faceprint_enrollments_near_misses_len(outcomes, 1) == 0);
  faceprint_enrollments_free(outcomes);
  faceprint_template_free(one);
  faceprint_template_free(like_one);
  faceprint_template_free(three);
  faceprint_tenant_free(silent);
  faceprint_tenant_free(strict);
  faceprint_tenant_free(acme);
  faceprint_gallery_free(gallery);
}

static void people_travel(void) {
  faceprint_gallery *office = gallery_at(scratch("office.faceprint"), 1);
  faceprint_gallery *device = gallery_at(scratch("device.faceprint"), 2);
  faceprint_tenant *school = tenant_of(office, "school"), *room = tenant_of(device, "room 12");
  faceprint_template *one = vector("1"), *two = vector("2");
  faceprint_enrollment enrollment;
  faceprint_string *to = NULL, *from = NULL;
  faceprint_bundle *bundle = NULL;
  faceprint_imported *imported = NULL;
  faceprint_changes *changes = NULL;
  size_t len = 0;
  OK(faceprint_tenant_enroll(school, "alice", one, &enrollment, &error));
  OK(faceprint_tenant_enroll(school, "bob", two, &enrollment, &error));
  OK(faceprint_gallery_device_key(device, &to, &error));
  OK(faceprint_gallery_signer(office, &from, &error));
  faceprint_bundle_request request = FACEPRINT_BUNDLE_REQUEST_INIT;
  const char *only[2] = {"alice", "nobody"};
  request.device = faceprint_string_get(to);
  request.valid_until = 4102444800000;
  request.only = only;
  request.only_len = 2;
  OK(faceprint_tenant_export_bundle(school, &request, &bundle, &error));
  CHECK(faceprint_bundle_subjects(bundle) == 1);
  CHECK(strcmp(faceprint_strings_at(faceprint_bundle_missing(bundle), 0), "nobody") == 0);
  const uint8_t *bytes = faceprint_bundle_bytes(bundle, &len);
  OK(faceprint_tenant_import_bundle(room, bytes, len, faceprint_string_get(from), &imported, &error));
  CHECK(faceprint_imported_added(imported) == 1 && faceprint_imported_erased(imported) == 0);
  CHECK(faceprint_strings_len(faceprint_imported_conflicts(imported)) == 0);
  faceprint_imported_free(imported);
  OK(faceprint_tenant_changes_since(school, faceprint_bundle_cursor(bundle), 10, &changes, &error));
  CHECK(faceprint_changes_len(changes) == 0);
  faceprint_changes_free(changes);
  OK(faceprint_tenant_erase(school, "alice", NULL, &error));
  OK(faceprint_tenant_changes_since(school, NULL, 10, &changes, &error));
  CHECK(faceprint_changes_len(changes) == 2);
  CHECK(strcmp(faceprint_changes_at(changes, 0)->subject, "bob") == 0);
  CHECK(faceprint_changes_at(changes, 1)->subject == NULL);
  CHECK(strlen(faceprint_changes_cursor(changes)) == 80);
  request.since = faceprint_bundle_cursor(bundle);
  faceprint_bundle *delta = NULL;
  OK(faceprint_tenant_export_bundle(school, &request, &delta, &error));
  CHECK(faceprint_bundle_erased(delta) == 1);
  bytes = faceprint_bundle_bytes(delta, &len);
  OK(faceprint_tenant_import_bundle(room, bytes, len, faceprint_string_get(from), NULL, &error));
  faceprint_strings *names = NULL;
  OK(faceprint_tenant_subjects(room, &names, &error));
  CHECK(faceprint_strings_len(names) == 0);
  faceprint_strings_free(names);
  faceprint_changes_free(changes);
  faceprint_bundle_free(delta);
  faceprint_bundle_free(bundle);
  faceprint_string_free(to);
  faceprint_string_free(from);
  faceprint_template_free(one);
  faceprint_template_free(two);
  faceprint_tenant_free(school);
  faceprint_tenant_free(room);
  faceprint_gallery_free(office);
  faceprint_gallery_free(device);
}

static void vectors_move_by_fernet(void) {
  /* Made by Python: Fernet(base64.urlsafe_b64encode(bytes(range(32)))). */
  faceprint_fernet_key *key = NULL;
  faceprint_string *token = NULL;
  faceprint_template *one = vector("1"), *back = NULL;
  faceprint_space_id space = space_of(1);
  float similarity = 0;
  OK(faceprint_fernet_key_new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", &key, &error));
  OK(faceprint_fernet_seal(key, one, &token, &error));
  OK(faceprint_fernet_open(key, faceprint_string_get(token), &space, &back, &error));
  OK(faceprint_template_similarity(one, back, &similarity, &error));
  CHECK(similarity > 0.99999f);
  FAILS(FACEPRINT_STATUS_INVALID_ARGUMENT, faceprint_fernet_open(key, "no token", &space, &back, &error));
  faceprint_template_free(back);
  faceprint_template_free(one);
  faceprint_string_free(token);
  faceprint_fernet_key_free(key);
}

int main(void) {
  keys_may_stay_elsewhere();
  people_come_and_go();
  an_enrolment_is_one_commit();
  people_travel();
  vectors_move_by_fernet();
  puts("gallery: ok");
  return 0;
}
