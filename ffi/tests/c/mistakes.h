/* errors.tsv: calls with a mistake in them. */

static char argument_text[1024];

/* The value of an argument, or NULL. */
static const char *given(const char *name) {
  static char values[8][300];
  static int next;
  char *slot = values[next++ % 8];
  const char *at = argument_text;
  size_t length = strlen(name);
  while (at != NULL && *at != 0) {
    const char *end = strchr(at, ' ');
    if (strncmp(at, name, length) == 0 && at[length] == '=') {
      size_t size = end ? (size_t)(end - at) - length - 1 : strlen(at) - length - 1;
      memcpy(slot, at + length + 1, size);
      slot[size] = 0;
      if (strcmp(slot, "empty") == 0) slot[0] = 0;
      if (strcmp(slot, "newline") == 0) strcpy(slot, "a\nb");
      if (strcmp(slot, "long") == 0) {
        memset(slot, 'x', 256);
        slot[256] = 0;
      }
      return slot;
    }
    at = end ? end + 1 : NULL;
  }
  return NULL;
}

static double given_number(const char *name, double otherwise) {
  const char *text = given(name);
  return text ? strtod(text, NULL) : otherwise;
}

static bool is(const char *call, const char *name) { return strcmp(call, name) == 0; }

/* The path of a call, with the content that was asked for. */
static const char *given_path(void) {
  const char *path = scratch(given("path") ? given("path") : "mistake");
  remove(path);
  if (given("content") || (given("path") && is(given("path"), "exists"))) {
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    if (given("content")) fputs(given("content"), file);
    fclose(file);
  }
  return path;
}

static faceprint_access *given_access(void) {
  faceprint_access *access = NULL;
  if (given("passphrase") == NULL) return access_by((unsigned char)given_number("key", 1));
  OK(faceprint_access_passphrase(given("passphrase"), &access, &error));
  return access;
}

static faceprint_status with_pictures(const char *call, faceprint_error **error) {
  static unsigned char zeros[1 << 16];
  faceprint_image image = FACEPRINT_IMAGE(zeros, sizeof zeros, 64, 64, FACEPRINT_PIXEL_FORMAT_RGB8);
  faceprint_detections *detections = NULL;
  faceprint_template *made = NULL;
  faceprint_status status;
  if (is(call, "image")) {
    static const char *const formats[] = {"rgb8", "bgr8", "rgba8", "bgra8", "gray8", "nv12", "nv21", "i420"};
    const char *format = given("format") ? given("format") : "rgb8";
    image.format = 0;
    while (!is(formats[image.format], format)) image.format++;
    image.len = (size_t)given_number("bytes", sizeof zeros);
    image.width = (uint32_t)given_number("width", 4);
    image.height = (uint32_t)given_number("height", 4);
    image.stride = (size_t)given_number("stride", 0);
    return faceprint_engine_detect(engine, &image, &detections, error);
  }
  if (is(call, "orientation")) {
    image.orientation = (uint32_t)given_number("exif", 1);
    return faceprint_engine_detect(engine, &image, &detections, error);
  }
  faceprint_landmarks marks = {{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}};
  if (is(call, "template_of")) {
    if (is(given("landmarks"), "nan")) marks.nose.x = NAN;
    return faceprint_engine_template(engine, &image, &marks, &made, error);
  }
  if (is(call, "liveness")) {
    faceprint_detection face = {{8, 8, 32, 32}, marks, 1};
    faceprint_liveness liveness;
    return faceprint_engine_liveness(engine, &image, &face, &liveness, error);
  }
  CHECK(is(call, "decode"));
  faceprint_decode_limits limits = FACEPRINT_DECODE_LIMITS_INIT;
  faceprint_picture *picture = NULL;
  limits.max_pixels = (uint64_t)given_number("max_pixels", (double)limits.max_pixels);
  limits.max_bytes = (uint64_t)given_number("max_bytes", (double)limits.max_bytes);
  limits.max_encoded_bytes = (uint64_t)given_number("max_encoded_bytes", (double)limits.max_encoded_bytes);
  if (given("picture")) {
    status = faceprint_picture_read(example(given("picture")), &limits, &picture, error);
  } else {
    const char *content = given("content");
    status = faceprint_picture_decode((const uint8_t *)content, strlen(content), &limits, &picture, error);
  }
  return status;
}

static faceprint_status with_models(const char *call, faceprint_error **error) {
  faceprint_pack *pack = bundled(), *other = NULL;
  faceprint_engine_options options = FACEPRINT_ENGINE_OPTIONS_INIT;
  faceprint_engine *made = NULL;
  faceprint_search_threshold search;
  float threshold = 0;
  faceprint_status status;
  if (is(call, "threshold")) {
    status = faceprint_pack_threshold(pack, given_number("fmr", 0), &threshold, error);
  } else if (is(call, "threshold_for")) {
    size_t n = (size_t)given_number("n", 100);
    status = faceprint_pack_threshold_for(pack, given_number("fpir", 0.01), n, &search, error);
  } else if (is(call, "pack_open")) {
    status = faceprint_pack_open(given_path(), NULL, &other, error);
  } else {
    CHECK(is(call, "engine"));
    if (given("backend")) options.backend = is(given("backend"), "rten") ? 2 : 1;
    if (given("library")) options.library = scratch(given("library"));
    options.threads = (uint32_t)given_number("threads", FACEPRINT_DEFAULT);
    options.max_faces = (uint32_t)given_number("max_faces", FACEPRINT_DEFAULT);
    options.min_face = (uint32_t)given_number("min_face", FACEPRINT_DEFAULT);
    options.detection_size = (uint32_t)given_number("detection_size", 0);
    options.score_threshold = (float)given_number("score_threshold", -1);
    options.nms_threshold = (float)given_number("nms_threshold", -1);
    options.liveness = given("liveness") != NULL;
    status = faceprint_engine_new(pack, &options, &made, error);
  }
  faceprint_pack_free(pack);
  return status;
}

static faceprint_status with_files(const char *call, faceprint_error **error) {
  faceprint_access *access = given_access(), *first = access_by(1);
  faceprint_space_id space = space_of(1);
  faceprint_gallery *opened = NULL;
  faceprint_outbox *outbox = NULL;
  faceprint_status status;
  const char *path = given_path();
  uint64_t limit = (uint64_t)given_number("limit", 10);
  if (is(call, "create")) {
    status = faceprint_gallery_create(path, access, &space, &opened, error);
  } else if (is(call, "open")) {
    if (!given("content") && !given("path")) faceprint_gallery_free(gallery_at(path, 1));
    status = faceprint_gallery_open(path, access, &opened, error);
  } else {
    CHECK(is(call, "outbox"));
    uint32_t mode = given("path") || given("key") ? FACEPRINT_OPEN_MODE_OPEN : FACEPRINT_OPEN_MODE_CREATE;
    if (given("key")) {
      faceprint_error *none = NULL;
      CHECK(faceprint_outbox_open(path, first, FACEPRINT_OPEN_MODE_CREATE, 10, false, &outbox, &none) == 0);
      faceprint_outbox_free(outbox);
      outbox = NULL;
    }
    status = faceprint_outbox_open(path, access, mode, limit, false, &outbox, error);
  }
  faceprint_access_free(access);
  faceprint_access_free(first);
  return status;
}

static faceprint_status with_templates(const char *call, faceprint_error **error) {
  float values[8] = {0};
  size_t len = 8;
  faceprint_template *made = NULL;
  faceprint_space_id space = space_of(1);
  faceprint_template_id id;
  float similarity = 0;
  if (is(call, "space_id")) return faceprint_space_id_parse(given("id"), &space, error);
  if (is(call, "template_id")) return faceprint_template_id_parse(given("id"), &id, error);
  faceprint_event_id event;
  if (is(call, "event_id")) return faceprint_event_id_parse(given("id"), &event, error);
  if (is(call, "similarity")) {
    faceprint_template *one = vector("1"), *other = vector_in(2, "1");
    faceprint_status status = faceprint_template_similarity(one, other, &similarity, error);
    faceprint_template_free(one);
    faceprint_template_free(other);
    return status;
  }
  CHECK(is(call, "template"));
  if (is(given("values"), "0")) len = 0;
  values[0] = is(given("values"), "zero") ? 0.0f : 1.0f;
  if (is(given("values"), "nan")) values[1] = NAN;
  if (is(given("values"), "infinite")) values[1] = INFINITY;
  return faceprint_template_new(values, len, &space, &made, error);
}

static faceprint_status with_people(const char *call, faceprint_error **error) {
  faceprint_gallery *own = gallery_at(scratch("mistakes.faceprint"), 1);
  faceprint_gallery *foreign = gallery_at(scratch("foreign.faceprint"), 1);
  faceprint_tenant *acme = tenant_of(own, "acme"), *theirs = tenant_of(foreign, "other"), *made = NULL;
  faceprint_template *known = vector("1"), *bob = vector("2");
  faceprint_space_id space = space_of((unsigned char)given_number("space", 1));
  faceprint_template *probe = vector_in(space.bytes[0], "1");
  faceprint_enrollment enrollment;
  const char *subject = given("subject") ? given("subject") : "alice";
  faceprint_status status = FACEPRINT_STATUS_OK;
  OK(faceprint_tenant_enroll(acme, "alice", known, &enrollment, &error));
  OK(faceprint_tenant_enroll(theirs, "bob", bob, &enrollment, &error));
  faceprint_hits *hits = NULL;
  faceprint_subject *found = NULL;
  faceprint_changes *changes = NULL;
  faceprint_string *text = NULL, *key = NULL, *signer = NULL, *foreign_key = NULL, *foreign_signer = NULL;
  faceprint_slots *slots = NULL;
  faceprint_bundle *bundle = NULL;
  faceprint_stream *stream = NULL;
  faceprint_bundle_request request = FACEPRINT_BUNDLE_REQUEST_INIT;
  OK(faceprint_gallery_device_key(own, &key, &error));
  OK(faceprint_gallery_device_key(foreign, &foreign_key, &error));
  OK(faceprint_gallery_signer(own, &signer, &error));
  OK(faceprint_gallery_signer(foreign, &foreign_signer, &error));
  request.device = faceprint_string_get(given("device") ? key : foreign_key);
  request.valid_until = 4102444800000;
  float similarity = 0;
  if (is(call, "tenant")) {
    status = faceprint_gallery_tenant(own, given("id"), &made, error);
  } else if (is(call, "erase_tenant")) {
    status = faceprint_gallery_erase_tenant(own, given("id"), NULL, error);
  } else if (is(call, "enroll")) {
    faceprint_enroll_policy policy = FACEPRINT_ENROLL_POLICY_INIT;
    faceprint_new_template one = FACEPRINT_NEW_TEMPLATE_INIT;
    faceprint_enrollments *outcomes = NULL;
    float quality = (float)given_number("quality", 1);
    policy.templates_per_subject = (size_t)given_number("templates_per_subject", 10);
    OK(faceprint_tenant_with_policy(acme, &policy, &made, &error));
    one.subject = given("id") ? given("id") : "alice";
    one.subject_template = probe;
    one.quality = &quality;
    status = faceprint_tenant_enroll_all(made, &one, 1, NULL, NULL, &outcomes, error);
  } else if (is(call, "identify")) {
    status = faceprint_tenant_identify(acme, probe, NULL, &hits, error);
  } else if (is(call, "verify")) {
    status = faceprint_tenant_verify(acme, subject, probe, &similarity, error);
  } else if (is(call, "subject")) {
    status = faceprint_tenant_subject(acme, subject, &found, error);
  } else if (is(call, "erase")) {
    status = faceprint_tenant_erase(acme, subject, NULL, error);
  } else if (is(call, "replace")) {
    status = faceprint_tenant_replace(acme, subject, probe, &enrollment, error);
  } else if (is(call, "remove_template")) {
    memset(enrollment.id.bytes, 7, 16);
    status = faceprint_tenant_remove_template(acme, subject, &enrollment.id, error);
  } else if (is(call, "set_details")) {
    faceprint_details details = FACEPRINT_DETAILS_INIT;
    details.metadata = given("metadata");
    status = faceprint_tenant_set_details(acme, subject, &details, error);
  } else if (is(call, "index")) {
    status = faceprint_tenant_with_index(acme, given_number("target_recall", 0.9), &made, error);
  } else if (is(call, "remove_space")) {
    status = faceprint_gallery_remove_space(own, &space, false, error);
  } else if (is(call, "remove_access")) {
    OK(faceprint_gallery_slots(own, &slots, &error));
    status = faceprint_gallery_remove_access(own, faceprint_slots_at(slots, 0)->id, error);
  } else if (is(call, "changes") || is(call, "cursor")) {
    const char *cursor = given("id");
    if (given("cursor")) {
      OK(faceprint_tenant_changes_since(theirs, NULL, 9, &changes, &error));
      cursor = faceprint_changes_cursor(changes);
    }
    faceprint_changes *page = NULL;
    status = faceprint_tenant_changes_since(acme, cursor, (size_t)given_number("limit", 9), &page, error);
  } else if (is(call, "head") || is(call, "check_head")) {
    OK(faceprint_gallery_head(foreign, &text, &error));
    status = faceprint_gallery_check_head(own, given("id") ? given("id") : faceprint_string_get(text), error);
  } else if (is(call, "device_key")) {
    request.device = given("id");
    status = faceprint_tenant_export_bundle(acme, &request, &bundle, error);
  } else if (is(call, "export")) {
    request.valid_until = 1000;
    status = faceprint_tenant_export_bundle(acme, &request, &bundle, error);
  } else if (is(call, "import") || is(call, "signer_key")) {
    size_t len = 0;
    OK(faceprint_tenant_export_bundle(acme, &request, &bundle, &error));
    const uint8_t *bytes = faceprint_bundle_bytes(bundle, &len);
    const char *by = faceprint_string_get(given("signer") ? foreign_signer : signer);
    if (given("content")) {
      bytes = (const uint8_t *)given("content");
      len = strlen(given("content"));
    }
    status = faceprint_tenant_import_bundle(theirs, bytes, len, given("id") ? given("id") : by, NULL, error);
  } else {
    faceprint_stream_options options = FACEPRINT_STREAM_OPTIONS_INIT;
    CHECK(is(call, "stream"));
    options.confirm_after = (uint32_t)given_number("confirm_after", 3);
    options.every = (uint64_t)given_number("every", 1);
    options.threshold = (float)given_number("threshold", 0.5);
    status = faceprint_stream_new(engine, acme, &options, NULL, 0, &stream, error);
  }
  CHECK(hits == NULL && found == NULL && stream == NULL);
  faceprint_string_free(text);
  faceprint_string_free(key);
  faceprint_string_free(signer);
  faceprint_string_free(foreign_key);
  faceprint_string_free(foreign_signer);
  faceprint_changes_free(changes);
  faceprint_slots_free(slots);
  faceprint_bundle_free(bundle);
  faceprint_template_free(known);
  faceprint_template_free(probe);
  faceprint_template_free(bob);
  faceprint_tenant_free(made);
  faceprint_tenant_free(acme);
  faceprint_tenant_free(theirs);
  faceprint_gallery_free(own);
  faceprint_gallery_free(foreign);
  return status;
}

static bool among(const char *call, const char *calls) {
  const char *at = strstr(calls, call);
  return at != NULL && at[strlen(call)] == ' ' && (at == calls || at[-1] == ' ');
}

static void mistakes(void) {
  table rows;
  size_t made = 0;
  read_table(&rows, "errors.tsv");
  for (size_t at = 0; at < rows.len; at++) {
    const char *call = cell(&rows, at, "call");
    faceprint_error *error = NULL;
    faceprint_status status;
    strcpy(argument_text, cell(&rows, at, "arguments"));
    /* In C, 0 says upright. */
    if (is(argument_text, "exif=0")) continue;
    if (among(call, "image orientation decode template_of liveness ")) {
      status = with_pictures(call, &error);
    } else if (among(call, "threshold threshold_for pack_open engine ")) {
      status = with_models(call, &error);
    } else if (among(call, "create open outbox ")) {
      status = with_files(call, &error);
    } else if (among(call, "template similarity space_id template_id event_id ")) {
      status = with_templates(call, &error);
    } else {
      status = with_people(call, &error);
    }
    if (status != (faceprint_status)number(&rows, at, "kind")) {
      fprintf(stderr, "%s %s gave %u: %s\n", call, argument_text, (unsigned)status,
              faceprint_error_message(error));
      exit(1);
    }
    faceprint_error_free(error);
    made++;
  }
  CHECK(made >= 75);
  free_table(&rows);
}
