/* faceprint: face recognition as a library. https://github.com/faceprint/faceprint
 *
 * Licence: MIT OR Apache-2.0. Generated from ffi/src by a test; do not edit.
 *
 * Calls
 *   What can fail returns a faceprint_status, FACEPRINT_STATUS_OK or the number of a kind of error, and takes a
 *   faceprint_error ** as its last argument, which may be NULL. On failure an error object is put there, which the
 *   caller frees; nothing else is written then. On success it is left alone. A panic of the library becomes
 *   FACEPRINT_STATUS_INTERNAL; the host is never aborted.
 *
 * Ownership
 *   What a call puts into a `faceprint_x **` is the caller's, who gives it to faceprint_x_free. Every _free takes NULL.
 *   What a call returns as `const ...*` belongs to the object it was asked of, and lives as long. Nothing that is
 *   passed in is kept, unless its description says so. Objects may be freed in any order: an engine does not need
 *   its pack, a tenant not its gallery.
 *
 * Pointers
 *   A pointer is NULL, or points to what its type says for as long as the call lasts. NULL where an object is needed is
 *   FACEPRINT_STATUS_INVALID_ARGUMENT; functions that return a number or a pointer give 0 or NULL for it. Strings are
 *   UTF-8 and end with a zero byte.
 *
 * Threads
 *   Any object may be used from any thread, and from several at once. Two calls on one stream or series wait for each other.
 *   There are no globals and no thread-local state. Freeing an object while another thread uses it is an error.
 *
 * Callbacks
 *   They get the `user` they were given with, and return: no exception and no longjmp goes through the library. They use
 *   no object that the call they come from was given.
 *
 * Options
 *   Structures that begin with struct_size are initialized with the macro of their name and _INIT, so that a program
 *   goes on to work with later versions of the library.
 *
 * Times are milliseconds since 1970 in UTC; FACEPRINT_NO_TIME where there is none.
 */

#ifndef FACEPRINT_H
#define FACEPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version of this header; faceprint_version() is that of the library. */
#define FACEPRINT_VERSION "0.1.0"
#define FACEPRINT_VERSION_MAJOR 0
#define FACEPRINT_VERSION_MINOR 1
#define FACEPRINT_VERSION_PATCH 0

/* No time at all. */
#define FACEPRINT_NO_TIME INT64_MIN

/* A share for which the pack has a default. */
#define FACEPRINT_DEFAULT_SHARE (-1.0f)


// A count for which the library or the pack has a default.
#define FACEPRINT_DEFAULT UINT32_MAX

// Pictures are scaled for the detector as suits them and the smallest face.
#define FACEPRINT_DETECTION_SIZE_AUTO 0

// Pictures are not scaled for the detector.
#define FACEPRINT_DETECTION_SIZE_NATIVE 1

// FACEPRINT_STATUS_OK, or the kind of an error: 1xx the caller must act, 2xx it is about models, 3xx about the
// gallery, 4xx about the environment, 9xx is a bug of the library. A number keeps its meaning for ever; there may
// come others.
enum faceprint_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // It succeeded.
  FACEPRINT_STATUS_OK = 0,
  // An argument is out of its documented range.
  FACEPRINT_STATUS_INVALID_ARGUMENT = 100,
  // Pixels, or the bytes of a picture file, are not a picture that can be read.
  FACEPRINT_STATUS_INVALID_IMAGE = 101,
  // A picture is larger than the limits it is read under.
  FACEPRINT_STATUS_LIMIT_EXCEEDED = 102,
  // Templates of two embedding spaces cannot be compared.
  FACEPRINT_STATUS_SPACE_MISMATCH = 103,
  // The feature is not part of this build.
  FACEPRINT_STATUS_UNSUPPORTED = 104,
  // A pack, a model or its file is not where models are looked for.
  FACEPRINT_STATUS_MODEL_NOT_FOUND = 200,
  // A manifest is not valid; the message names the field.
  FACEPRINT_STATUS_INVALID_MANIFEST = 201,
  // The bytes of a model file are not the ones its manifest promises.
  FACEPRINT_STATUS_MODEL_CORRUPT = 202,
  // A model loads but does not behave as its manifest says.
  FACEPRINT_STATUS_MODEL_MISMATCH = 203,
  // A model's licence has to be accepted before it is loaded.
  FACEPRINT_STATUS_LICENSE_NOT_ACCEPTED = 204,
  // There is no gallery file at the path.
  FACEPRINT_STATUS_GALLERY_NOT_FOUND = 300,
  // A file is already where a gallery was to be made.
  FACEPRINT_STATUS_GALLERY_EXISTS = 301,
  // The passphrase, key or provider opens no access slot of the gallery, or the key is not that of a
  // Fernet token.
  FACEPRINT_STATUS_WRONG_KEY = 302,
  // The gallery is not as its keys left it: rows were changed, removed, added, moved or rolled back,
  // or the file is damaged or no database at all.
  FACEPRINT_STATUS_INTEGRITY = 303,
  // Another process holds the gallery's write lock, and waiting did not help.
  FACEPRINT_STATUS_LOCKED = 304,
  // The file is a database and no gallery, or it or a bundle is of a format this version does not know.
  FACEPRINT_STATUS_GALLERY_VERSION = 305,
  // The subject is not enrolled, was erased, or has expired.
  FACEPRINT_STATUS_SUBJECT_NOT_FOUND = 306,
  // The gallery has no such tenant.
  FACEPRINT_STATUS_TENANT_NOT_FOUND = 307,
  // The subject has no such template.
  FACEPRINT_STATUS_TEMPLATE_NOT_FOUND = 308,
  // A limit on subjects, templates or metadata would be passed.
  FACEPRINT_STATUS_LIMIT_REACHED = 309,
  // The caller's key provider refused or failed.
  FACEPRINT_STATUS_KEY_PROVIDER = 310,
  // The cursor is of another gallery or tenant, or of a later state than the file is in.
  FACEPRINT_STATUS_WRONG_CURSOR = 311,
  // The bytes are no bundle, or not as the office signed them.
  FACEPRINT_STATUS_BUNDLE_DAMAGED = 312,
  // The bundle was signed by another office than the one expected.
  FACEPRINT_STATUS_BUNDLE_SIGNER = 313,
  // The bundle is for another device.
  FACEPRINT_STATUS_BUNDLE_DEVICE = 314,
  // The bundle's time is over.
  FACEPRINT_STATUS_BUNDLE_EXPIRED = 315,
  // The inference engine or execution provider that was asked for is not here.
  FACEPRINT_STATUS_BACKEND_UNAVAILABLE = 400,
  // A file could not be read or written.
  FACEPRINT_STATUS_IO = 401,
  // A download failed; what was there before is untouched.
  FACEPRINT_STATUS_DOWNLOAD = 402,
  // A broken promise inside the library. Please report it.
  FACEPRINT_STATUS_INTERNAL = 900,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum faceprint_status faceprint_status;
#else
typedef uint32_t faceprint_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How the bytes of a picture are laid out. Every sample is one byte; the YUV formats are 4:2:0, video range BT.601.
enum faceprint_pixel_format
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Red, green, blue.
  FACEPRINT_PIXEL_FORMAT_RGB8 = 0,
  // Blue, green, red: OpenCV's order.
  FACEPRINT_PIXEL_FORMAT_BGR8 = 1,
  // Red, green, blue, alpha, which is ignored.
  FACEPRINT_PIXEL_FORMAT_RGBA8 = 2,
  // Blue, green, red, alpha, which is ignored.
  FACEPRINT_PIXEL_FORMAT_BGRA8 = 3,
  // Luminance.
  FACEPRINT_PIXEL_FORMAT_GRAY8 = 4,
  // A luma plane, then pairs of U V.
  FACEPRINT_PIXEL_FORMAT_NV12 = 5,
  // A luma plane, then pairs of V U: Android's camera format.
  FACEPRINT_PIXEL_FORMAT_NV21 = 6,
  // A luma plane, then a U plane, then a V plane.
  FACEPRINT_PIXEL_FORMAT_I420 = 7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum faceprint_pixel_format faceprint_pixel_format;
#else
typedef uint32_t faceprint_pixel_format;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What is measured of a face. Names follow ISO/IEC 29794-5:2025 where it has the measure.
enum faceprint_measure
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // The unified score, 0 to 100.
  FACEPRINT_MEASURE_SCORE = 0,
  // Shorter side of the face's box, pixels.
  FACEPRINT_MEASURE_FACE_SIZE = 1,
  // Distance between the eyes of the face turned to the camera, pixels.
  FACEPRINT_MEASURE_INTER_EYE_DISTANCE = 2,
  // Fine detail against coarse contrast, 0 to 1.
  FACEPRINT_MEASURE_SHARPNESS = 3,
  // Mean luminance of the face, 0 black to 1 white, linear light.
  FACEPRINT_MEASURE_LUMINANCE_MEAN = 4,
  // Variance of the luminance, 0 to 0.25.
  FACEPRINT_MEASURE_LUMINANCE_VARIANCE = 5,
  // Share of the face that is nearly black, 0 to 1.
  FACEPRINT_MEASURE_UNDER_EXPOSURE = 6,
  // Share of the face that is nearly white, 0 to 1.
  FACEPRINT_MEASURE_OVER_EXPOSURE = 7,
  // Entropy of the luminance, 0 to 8 bits.
  FACEPRINT_MEASURE_DYNAMIC_RANGE = 8,
  // Turn to the side, degrees.
  FACEPRINT_MEASURE_YAW = 9,
  // Turn up or down, degrees.
  FACEPRINT_MEASURE_PITCH = 10,
  // Tilt in the picture, degrees.
  FACEPRINT_MEASURE_ROLL = 11,
  // How far the landmarks are from a face's, in inter-eye distances, 0 to 1.
  FACEPRINT_MEASURE_LANDMARK_RESIDUAL = 12,
  // Share of the face's box inside the picture, 0 to 1.
  FACEPRINT_MEASURE_SHARE_INSIDE = 13,
  // The detector's confidence, 0 to 1.
  FACEPRINT_MEASURE_DETECTOR_SCORE = 14,
  // Size of the next largest face relative to this one, 0 (alone) to 1.
  FACEPRINT_MEASURE_SECOND_FACE = 15,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum faceprint_measure faceprint_measure;
#else
typedef uint32_t faceprint_measure;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Sets of bounds to start from.
enum faceprint_policy_preset
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Every face passes.
  FACEPRINT_POLICY_PRESET_ANY = 0,
  // For a template that is kept for years.
  FACEPRINT_POLICY_PRESET_ENROLLMENT = 1,
  // For somebody in front of a door; what engines ask for by default.
  FACEPRINT_POLICY_PRESET_KIOSK = 2,
  // For people who pass by and are not asked.
  FACEPRINT_POLICY_PRESET_SURVEILLANCE = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum faceprint_policy_preset faceprint_policy_preset;
#else
typedef uint32_t faceprint_policy_preset;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Which inference engine runs the networks.
enum faceprint_backend_choice
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // ONNX Runtime when its library is found, the one inside this library otherwise.
  FACEPRINT_BACKEND_CHOICE_AUTO = 0,
  // ONNX Runtime, or an error.
  FACEPRINT_BACKEND_CHOICE_ONNX_RUNTIME = 1,
  // The one inside this library, rten.
  FACEPRINT_BACKEND_CHOICE_RTEN = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum faceprint_backend_choice faceprint_backend_choice;
#else
typedef uint32_t faceprint_backend_choice;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Where ONNX Runtime executes.
enum faceprint_provider
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // The processor.
  FACEPRINT_PROVIDER_CPU = 0,
  // NVIDIA GPUs.
  FACEPRINT_PROVIDER_CUDA = 1,
  // Apple's accelerators.
  FACEPRINT_PROVIDER_CORE_ML = 2,
  // Android's accelerators.
  FACEPRINT_PROVIDER_NNAPI = 3,
  // DirectX 12.
  FACEPRINT_PROVIDER_DIRECT_ML = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum faceprint_provider faceprint_provider;
#else
typedef uint32_t faceprint_provider;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What a gallery holds of each template in memory.
enum faceprint_memory
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Its codes and its values.
  FACEPRINT_MEMORY_FULL = 0,
  // Its codes; the values that decide are read from the file. The answers are the same.
  FACEPRINT_MEMORY_LEAN = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum faceprint_memory faceprint_memory;
#else
typedef uint32_t faceprint_memory;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What kind of secret opens a slot.
enum faceprint_slot_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  FACEPRINT_SLOT_KIND_PASSPHRASE = 1,
  FACEPRINT_SLOT_KIND_KEY = 2,
  FACEPRINT_SLOT_KIND_PROVIDER = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum faceprint_slot_kind faceprint_slot_kind;
#else
typedef uint32_t faceprint_slot_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What became of an enrolment.
enum faceprint_outcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // It is stored, and on disk.
  FACEPRINT_OUTCOME_ADDED = 0,
  // Nothing was stored: another subject looks the same.
  FACEPRINT_OUTCOME_DUPLICATE = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum faceprint_outcome faceprint_outcome;
#else
typedef uint32_t faceprint_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Who a probe is.
enum faceprint_verdict
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Nobody is similar enough.
  FACEPRINT_VERDICT_NO_MATCH = 0,
  // The one that is listed.
  FACEPRINT_VERDICT_MATCH = 1,
  // One of those that are listed, which are too close to tell apart.
  FACEPRINT_VERDICT_AMBIGUOUS = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum faceprint_verdict faceprint_verdict;
#else
typedef uint32_t faceprint_verdict;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// Where an approximate index stands; all states but the first mean exact answers.
enum faceprint_index_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // It answers.
  FACEPRINT_INDEX_STATE_APPROXIMATE = 0,
  // None was asked for.
  FACEPRINT_INDEX_STATE_EXACT = 1,
  // There are so few templates that the scan is faster.
  FACEPRINT_INDEX_STATE_SMALL = 2,
  // It is being built and audited in the background.
  FACEPRINT_INDEX_STATE_BUILDING = 3,
  // It missed too many.
  FACEPRINT_INDEX_STATE_REFUSED = 4,
  // The graph library failed.
  FACEPRINT_INDEX_STATE_FAILED = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum faceprint_index_state faceprint_index_state;
#else
typedef uint32_t faceprint_index_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What an event says of a face, and what is known of one that is followed.
enum faceprint_who
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // Somebody of the gallery: see subject and similarity.
  FACEPRINT_WHO_SUBJECT = 0,
  // Somebody the gallery does not know: see visitor.
  FACEPRINT_WHO_VISITOR = 1,
  // A presentation attack is suspected, and nobody asked whose face it is: see visitor and liveness.
  FACEPRINT_WHO_SUSPECTED = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum faceprint_who faceprint_who;
#else
typedef uint32_t faceprint_who;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// How a file is opened.
enum faceprint_open_mode
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // It is there.
  FACEPRINT_OPEN_MODE_OPEN = 0,
  // It is not there yet.
  FACEPRINT_OPEN_MODE_CREATE = 1,
  // Either.
  FACEPRINT_OPEN_MODE_OPEN_OR_CREATE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum faceprint_open_mode faceprint_open_mode;
#else
typedef uint32_t faceprint_open_mode;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// A passphrase, a key, or a provider of keys.
typedef struct faceprint_access faceprint_access;

// Where a key provider puts its answer.
typedef struct faceprint_answer faceprint_answer;

// A bundle, ready to be sent.
typedef struct faceprint_bundle faceprint_bundle;

// A page of changes, oldest first; each person is there once.
typedef struct faceprint_changes faceprint_changes;

// An event that is to be delivered.
typedef struct faceprint_delivery faceprint_delivery;

// Faces without templates, best score first.
typedef struct faceprint_detections faceprint_detections;

// Loaded models, ready for pictures.
typedef struct faceprint_engine faceprint_engine;

// What became of several enrolments, in their order.
typedef struct faceprint_enrollments faceprint_enrollments;

// What went wrong, in numbers and words. Messages name no person and show no template or key.
typedef struct faceprint_error faceprint_error;

// Events of one frame.
typedef struct faceprint_events faceprint_events;

// Faces with templates and quality, best score first.
typedef struct faceprint_faces faceprint_faces;

// A key of Fernet: 44 characters.
typedef struct faceprint_fernet_key faceprint_fernet_key;

// The faces of the last frame that are followed.
typedef struct faceprint_followed_faces faceprint_followed_faces;

// People in one encrypted file.
typedef struct faceprint_gallery faceprint_gallery;

// People a search found, most similar first.
typedef struct faceprint_hits faceprint_hits;

// What an import did.
typedef struct faceprint_imported faceprint_imported;

// Why a picture or a face is not usable.
typedef struct faceprint_issues faceprint_issues;

// Events on their way to whoever wants them, sealed, until they are acknowledged.
typedef struct faceprint_outbox faceprint_outbox;

// Models that work together.
typedef struct faceprint_pack faceprint_pack;

// Subjects that look the same, most similar first.
typedef struct faceprint_pairs faceprint_pairs;

// A decoded, upright picture in RGB.
typedef struct faceprint_picture faceprint_picture;

// Bounds on measures.
typedef struct faceprint_policy faceprint_policy;

// The measures of one face.
typedef struct faceprint_quality faceprint_quality;

// The prominent face of a picture that is good enough.
typedef struct faceprint_sample faceprint_sample;

// What a series comes to: a sample, or none.
typedef struct faceprint_selection faceprint_selection;

// Captures of one person who stands before the camera, frame after frame.
typedef struct faceprint_series faceprint_series;

// Sightings of the library's.
typedef struct faceprint_sightings faceprint_sightings;

// Ways into a gallery, oldest first.
typedef struct faceprint_slots faceprint_slots;

// Reports of spaces, oldest first.
typedef struct faceprint_spaces faceprint_spaces;

// Templates of a subject, oldest first.
typedef struct faceprint_stored_templates faceprint_stored_templates;

// One camera's frames on the way to events.
typedef struct faceprint_stream faceprint_stream;

// A string of the library's.
typedef struct faceprint_string faceprint_string;

// Strings of the library's.
typedef struct faceprint_strings faceprint_strings;

// What is stored of a person.
typedef struct faceprint_subject faceprint_subject;

// What a face is compared by: a unit vector in a space.
typedef struct faceprint_template faceprint_template;

// One customer, site or class of a gallery.
typedef struct faceprint_tenant faceprint_tenant;

// What may be decoded; FACEPRINT_DECODE_LIMITS_INIT.
typedef struct faceprint_decode_limits {
  // sizeof(faceprint_decode_limits).
  size_t struct_size;
  // Width times height.
  uint64_t max_pixels;
  // Bytes of all pixel buffers that decoding needs at once.
  uint64_t max_bytes;
  // Bytes of the file.
  uint64_t max_encoded_bytes;
} faceprint_decode_limits;

// Pixels of one plane, for pictures whose planes lie apart.
typedef struct faceprint_plane {
  // The bytes.
  const uint8_t *data;
  // How many.
  size_t len;
  // Bytes from one row to the next.
  size_t stride;
} faceprint_plane;

// A picture in the caller's memory: `faceprint_image image = FACEPRINT_IMAGE(data, len, width, height, format);`
typedef struct faceprint_image {
  // The bytes, all planes one after the other. NULL when the planes are given apart.
  const uint8_t *data;
  // How many bytes.
  size_t len;
  // Bytes from one row to the next; 0 for rows without padding.
  size_t stride;
  // Pixels in a row as stored.
  uint32_t width;
  // Rows as stored.
  uint32_t height;
  // A faceprint_pixel_format.
  uint32_t format;
  // What makes the picture upright, by the numbers of EXIF: 1 (or 0) nothing, 3 half a turn, 6 a quarter turn clockwise, 8
  // counterclockwise, 2, 4, 5 and 7 mirrored. See faceprint_orientation_from_degrees.
  uint32_t orientation;
  // The planes, when they lie apart and `data` is NULL.
  const struct faceprint_plane *planes;
  // How many: 1, 2 or 3, as the format has.
  size_t plane_count;
} faceprint_image;

// A model of a pack. The strings live as long as the pack.
typedef struct faceprint_model {
  // Its name.
  const char *name;
  // "detector", "embedder" or "liveness".
  const char *role;
  // "yunet", "scrfd", "retinaface", "arcface", "sface" or "minifasnet".
  const char *family;
  // SHA-256 of its file, 64 hexadecimal digits.
  const char *sha256;
  // SPDX identifier, or the upstream's words.
  const char *license;
  // "permissive", "non-commercial" or "unknown".
  const char *license_class;
  // Who made it of what.
  const char *provenance;
} faceprint_model;

// The embedding space of templates: those of two spaces cannot be compared.
typedef struct faceprint_space_id {
  // As stored.
  uint8_t bytes[32];
} faceprint_space_id;

// A threshold for searches, and what stands behind it.
typedef struct faceprint_search_threshold {
  // Similarity (cosine, -1 to 1) from which on a template counts as found.
  float similarity;
  // Whether it lies above all that was measured.
  bool extrapolated;
  // The false match rate that each comparison may have.
  double fmr;
  // The rate there by the best estimate.
  double estimate;
  // 95 % interval of it.
  double ci95_low;
  // Its upper end.
  double ci95_high;
} faceprint_search_threshold;

// One stored template of a subject.
typedef struct faceprint_template_id {
  // As stored.
  uint8_t bytes[16];
} faceprint_template_id;

// One reason. The strings live as long as the list.
typedef struct faceprint_issue {
  // A stable word: "no_face", "too_small", "blurred", "turned", ...
  const char *name;
  // For people: "face is 41 px wide, minimum is 80".
  const char *message;
  // A faceprint_measure; -1 for reasons that are none.
  int32_t measure;
  // What was measured.
  float value;
  // What it must be at least, or at most.
  float bound;
} faceprint_issue;

// A box in pixels of the upright picture; it may reach over the edges.
typedef struct faceprint_rect {
  float x;
  float y;
  float width;
  float height;
} faceprint_rect;

// A position in pixels of the upright picture, from its top left.
typedef struct faceprint_point {
  float x;
  float y;
} faceprint_point;

// Five points of a face. Left and right are the picture's, not the person's.
typedef struct faceprint_landmarks {
  struct faceprint_point left_eye;
  struct faceprint_point right_eye;
  struct faceprint_point nose;
  struct faceprint_point left_mouth;
  struct faceprint_point right_mouth;
} faceprint_landmarks;

// A face that was found.
typedef struct faceprint_detection {
  // The face from forehead to chin.
  struct faceprint_rect bounds;
  // Eyes, nose and mouth corners.
  struct faceprint_landmarks landmarks;
  // The detector's confidence, 0 to 1.
  float score;
} faceprint_detection;

// A face with what it is compared by and how good it is.
typedef struct faceprint_face {
  // Where it is.
  struct faceprint_detection detection;
  // Its template, which lives as long as what the face was asked of.
  const struct faceprint_template *face_template;
  // Its quality, which lives as long.
  const struct faceprint_quality *quality;
} faceprint_face;

// What liveness models say.
typedef struct faceprint_liveness {
  // The mean of the models' probabilities of a live face, 0 to 1.
  float score;
  // From which score on the pack calls a face live.
  float threshold;
} faceprint_liveness;

// How an engine works; FACEPRINT_ENGINE_OPTIONS_INIT. Strings and lists are needed while the engine is made.
typedef struct faceprint_engine_options {
  // sizeof(faceprint_engine_options).
  size_t struct_size;
  // A faceprint_backend_choice.
  uint32_t backend;
  // A faceprint_provider.
  uint32_t provider;
  // ONNX Runtime's shared library; NULL to look for it.
  const char *library;
  // Threads of each run of a network; FACEPRINT_DEFAULT: all cores for a run that is alone, one for those that overlap.
  uint32_t threads;
  // The most faces of a picture; FACEPRINT_DEFAULT for all.
  uint32_t max_faces;
  // Shorter side of the smallest face that matters, pixels; FACEPRINT_DEFAULT for none.
  uint32_t min_face;
  // FACEPRINT_DETECTION_SIZE_AUTO, FACEPRINT_DETECTION_SIZE_NATIVE or the side of a square, a multiple of 32.
  uint32_t detection_size;
  // The lowest detection score, 0 to 1, or FACEPRINT_DEFAULT_SHARE.
  float score_threshold;
  // The largest overlap of two faces, 0 to 1, or FACEPRINT_DEFAULT_SHARE.
  float nms_threshold;
  // Whether a template is the mean of the face's and its mirror image's.
  bool flip_averaging;
  // Whether the pack's liveness models are loaded and asked by faceprint_engine_capture.
  bool liveness;
  // What faceprint_engine_capture asks of a face; NULL for that of a kiosk.
  const struct faceprint_policy *policy;
  // Names of licences, or of models, whose restrictions are accepted.
  const char *const *accepted_licenses;
  // How many.
  size_t accepted_licenses_len;
} faceprint_engine_options;

// Is told how many of how many are done.
typedef void (*faceprint_progress)(void *user, size_t done, size_t all);

// What runs the networks. The strings live as long as the engine.
typedef struct faceprint_backend {
  // "ONNX Runtime" or "rten".
  const char *name;
  // Its version.
  const char *version;
  // ONNX Runtime's library; NULL for rten.
  const char *library;
  // A faceprint_provider.
  uint32_t provider;
  // Threads of a run that is alone.
  size_t threads;
} faceprint_backend;

// Encrypts `key` (32 bytes) and gives faceprint_answer_set the result, 1 to 65,536 bytes. Returns 0, or anything
// else to refuse.
typedef int32_t (*faceprint_wrap_key)(void *user, const uint8_t *key, struct faceprint_answer *answer);

// Decrypts `len` bytes that the other function made and gives faceprint_answer_set the 32 bytes of the key. Returns 0,
// or anything else to refuse.
typedef int32_t (*faceprint_unwrap_key)(void *user,
                                        const uint8_t *wrapped,
                                        size_t len,
                                        struct faceprint_answer *answer);

// Is told that `user` is not needed any more.
typedef void (*faceprint_release)(void *user);

// A key that stays with a service or a chip; FACEPRINT_KEY_PROVIDER_INIT. Functions may be called from any thread.
typedef struct faceprint_key_provider {
  // sizeof(faceprint_key_provider).
  size_t struct_size;
  // Given to the functions.
  void *user;
  // Encrypts a key.
  faceprint_wrap_key wrap;
  // Decrypts it.
  faceprint_unwrap_key unwrap;
  // May be NULL.
  faceprint_release release;
} faceprint_key_provider;

// Tells the time, for enrolment and expiry.
typedef int64_t (*faceprint_clock)(void *user);

// What an erasure removed.
typedef struct faceprint_erased {
  uint64_t subjects;
  uint64_t templates;
} faceprint_erased;

// What is in a gallery, by numbers.
typedef struct faceprint_info {
  // The version of the file format.
  uint32_t format;
  // Tenants.
  uint64_t tenants;
  // Subjects of all tenants, expired ones too.
  uint64_t subjects;
  // Templates of all tenants.
  uint64_t templates;
  // Commits so far.
  uint64_t sequence;
  // When the gallery was made.
  int64_t created_at;
  // Bytes of the file.
  uint64_t bytes;
  // Of these, bytes that faceprint_gallery_compact would give back.
  uint64_t free_bytes;
} faceprint_info;

// How far a gallery or a tenant has come into a space.
typedef struct faceprint_space_report {
  // The space.
  struct faceprint_space_id space;
  // Subjects with a template in it.
  uint64_t subjects;
  // Subjects without one.
  uint64_t lacking;
  // Templates in it.
  uint64_t templates;
} faceprint_space_report;

// One way into a gallery.
typedef struct faceprint_slot {
  // Its number, for faceprint_gallery_remove_access; never given twice.
  int64_t id;
  // A faceprint_slot_kind; 0 for one this version does not know.
  uint32_t kind;
} faceprint_slot;

// Rules for enrolment through one handle; FACEPRINT_ENROLL_POLICY_INIT.
typedef struct faceprint_enroll_policy {
  // sizeof(faceprint_enroll_policy).
  size_t struct_size;
  // From which similarity to another subject on an enrolment is a duplicate.
  float duplicate_at;
  // Whether that is looked for at all.
  bool check_duplicates;
  // Templates a subject may have.
  size_t templates_per_subject;
  // Subjects the tenant may have.
  uint64_t subjects_per_tenant;
  // How far below duplicate_at the similarity to another subject may be to count as a near miss; 0 for none.
  float near_miss_margin;
} faceprint_enroll_policy;

// What became of an enrolment.
typedef struct faceprint_enrollment {
  // A faceprint_outcome.
  uint32_t outcome;
  // How similar a duplicate is, -1 to 1.
  float similarity;
  // The id of the stored template.
  struct faceprint_template_id id;
  // Whose duplicate it is; "" when it was added.
  char duplicate_of[256];
  // How many others are nearly as similar as a duplicate, five at most: somebody may be there under two names. Who
  // they are is in faceprint_enrollments.
  uint32_t near_misses;
} faceprint_enrollment;

// What a caller keeps with a subject; FACEPRINT_DETAILS_INIT.
typedef struct faceprint_details {
  // sizeof(faceprint_details).
  size_t struct_size;
  // JSON, 65,536 bytes at most; NULL for none.
  const char *metadata;
  // When the person agreed to be enrolled, or FACEPRINT_NO_TIME.
  int64_t consent;
  // From when on the person is not found any more, or FACEPRINT_NO_TIME.
  int64_t expires_at;
} faceprint_details;

// A template to enrol, with what is known of its picture; FACEPRINT_NEW_TEMPLATE_INIT.
typedef struct faceprint_new_template {
  // Who.
  const char *subject;
  // Their template.
  const struct faceprint_template *subject_template;
  // How good the picture was, if that is known, or NULL.
  const float *quality;
  // Where the landmarks were, if that is known, or NULL.
  const struct faceprint_landmarks *landmarks;
  // What is kept with the subject from now on, in place of what was, in the same commit; NULL to leave it.
  const struct faceprint_details *details;
} faceprint_new_template;

// Somebody who is nearly similar enough to be the same person.
typedef struct faceprint_near_miss {
  // Who; lives as long as the list.
  const char *subject;
  // How similar, -1 to 1.
  float similarity;
} faceprint_near_miss;

// Whom a search may find; FACEPRINT_QUERY_INIT.
typedef struct faceprint_query {
  // sizeof(faceprint_query).
  size_t struct_size;
  // Subjects, at most. 1 by default.
  size_t limit;
  // Only subjects that are this similar, -1 to 1; -1 by default, which is everybody.
  float at_least;
  // For faceprint_tenant_decide: how much more similar the best must be than the next one.
  float ambiguity_margin;
  // Only these subjects. NULL for everybody; with 0 of them nobody is found.
  const char *const *among;
  // How many.
  size_t among_len;
} faceprint_query;

// One person a search found. The name lives as long as the list.
typedef struct faceprint_hit {
  // Who.
  const char *subject;
  // How similar, -1 to 1.
  float similarity;
  // Which of their templates.
  struct faceprint_template_id id;
} faceprint_hit;

// Two subjects that look the same. The names live as long as the list.
typedef struct faceprint_pair {
  // Who was enrolled first.
  const char *subject;
  // Whom they look like.
  const char *other;
  // How similar, -1 to 1.
  float similarity;
} faceprint_pair;

// One template as it was enrolled.
typedef struct faceprint_stored_template {
  // Which one.
  struct faceprint_template_id id;
  // When it was enrolled.
  int64_t enrolled_at;
  // The template, which lives as long as the list.
  const struct faceprint_template *subject_template;
  // Whether the quality was given.
  bool has_quality;
  // Whether the landmarks were given.
  bool has_landmarks;
  // How good the picture was; 0 when that was not given.
  float quality;
  // Where the landmarks were; all 0 when that was not given.
  struct faceprint_landmarks landmarks;
} faceprint_stored_template;

// What became of a person. The strings live as long as the list.
typedef struct faceprint_change {
  // Which enrolment.
  const char *reference;
  // Who was enrolled or changed; NULL when they were erased or have expired.
  const char *subject;
} faceprint_change;

// Whom a bundle is for, until when, and who goes into it; FACEPRINT_BUNDLE_REQUEST_INIT.
typedef struct faceprint_bundle_request {
  // sizeof(faceprint_bundle_request).
  size_t struct_size;
  // What faceprint_gallery_device_key gave on the device.
  const char *device;
  // From when on the people are gone on the device.
  int64_t valid_until;
  // Only these; NULL for everybody.
  const char *const *only;
  // How many.
  size_t only_len;
  // Only what changed after faceprint_bundle_cursor of an earlier bundle; NULL for all.
  const char *since;
} faceprint_bundle_request;

// What tells an event from every other.
typedef struct faceprint_event_id {
  // Random ones.
  uint8_t bytes[16];
} faceprint_event_id;

// A visit was confirmed, or an attack is suspected.
typedef struct faceprint_event {
  // What tells this event from every other: delivered twice, it is one.
  struct faceprint_event_id id;
  // The time of the frame that decided it.
  int64_t at;
  // The path of the face in its stream.
  uint64_t track;
  // Where the face was.
  struct faceprint_rect bounds;
  // How good the face was, 0 to 100.
  float quality;
  // How similar a known person is, -1 to 1; 0 for anybody else.
  float similarity;
  // Who, as long as what the event was asked of lives; NULL unless `who` is FACEPRINT_WHO_SUBJECT.
  const char *subject;
  // Which unknown person or suspected face, within the life of the stream; all 0 for somebody known.
  uint8_t visitor[8];
  // A faceprint_who.
  uint32_t who;
  // The median score of the frames that were judged, for a suspected face; 0 and 0 for anybody else.
  struct faceprint_liveness liveness;
} faceprint_event;

// How a stream decides; FACEPRINT_STREAM_OPTIONS_INIT.
typedef struct faceprint_stream_options {
  // sizeof(faceprint_stream_options).
  size_t struct_size;
  // The similarity from which on two templates are of one person; FACEPRINT_DEFAULT_SHARE: the pack's at a false match
  // rate of 0.0001.
  float threshold;
  // How many successive templates must lead to the same person.
  uint32_t confirm_after;
  // How many successive templates must lead to nobody.
  uint32_t unknown_after;
  // How long somebody must not have been seen for another visit, milliseconds.
  uint64_t cooldown;
  // After which time a face that is followed is verified again, milliseconds.
  uint64_t look_interval;
  // How long a path waits for a face that is hidden, milliseconds.
  uint64_t lost_after;
  // How much better a face's quality must be for another template, 0 to 100.
  float quality_gain;
  // The detection score from which on a face begins a path.
  float sure_score;
  // Looks at each so many-th frame only.
  uint64_t every;
  // How many frames of a face vote on whether it is alive, 99 at most; 0, the default, for no vote. The engine needs
  // liveness models. Who fails is not recognised, and gives one event that says so.
  uint32_t liveness;
} faceprint_stream_options;

// Who was seen when last.
typedef struct faceprint_sighting {
  const char *subject;
  int64_t at;
} faceprint_sighting;

// What a stream has done so far.
typedef struct faceprint_stats {
  // Frames that were pushed.
  uint64_t frames;
  // Frames that were not looked at.
  uint64_t skipped;
  // Faces that were followed, counted in each frame.
  uint64_t faces;
  // Templates made.
  uint64_t embeddings;
  // Faces that were followed without one.
  uint64_t saved;
  // Frames for which at least one template was made.
  uint64_t embedded_frames;
  // Events given.
  uint64_t events;
  // Faces that were judged for liveness.
  uint64_t judged;
} faceprint_stats;

// A face that is followed.
typedef struct faceprint_followed {
  // The number of its path.
  uint64_t track;
  // Where the face is.
  struct faceprint_rect bounds;
  // Its landmarks.
  struct faceprint_landmarks landmarks;
  // Whether it is decided who it is.
  bool decided;
  // Whether the path is in doubt.
  bool doubtful;
  // Who, when decided and known; NULL otherwise.
  const char *subject;
  // How similar they are.
  float similarity;
  // Which unknown person or suspected face, when decided and not known.
  uint8_t visitor[8];
  // A faceprint_who, when decided.
  uint32_t who;
  // As in an event.
  struct faceprint_liveness liveness;
} faceprint_followed;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The kind of `error`; FACEPRINT_STATUS_OK for NULL.
faceprint_status faceprint_error_status(const struct faceprint_error *error);

// One line for people, with the numbers and the way out; "" for NULL. Lives as long as `error`.
const char *faceprint_error_message(const struct faceprint_error *error);

// Frees an error.
void faceprint_error_free(struct faceprint_error *error);

// The version of the library, as "1.2.3"; that of the header is in FACEPRINT_VERSION.
const char *faceprint_version(void);

// The string; NULL for NULL. Lives as long as `string`.
const char *faceprint_string_get(const struct faceprint_string *string);

// Frees a string.
void faceprint_string_free(struct faceprint_string *string);

// How many strings there are.
size_t faceprint_strings_len(const struct faceprint_strings *strings);

// One of them; NULL from the length on. Lives as long as `strings`.
const char *faceprint_strings_at(const struct faceprint_strings *strings, size_t index);

// Frees a list.
void faceprint_strings_free(struct faceprint_strings *strings);

// Decodes the bytes of a JPEG, PNG, WebP or BMP file and turns the picture upright as its EXIF data asks. `limits`
// may be NULL.
faceprint_status faceprint_picture_decode(const uint8_t *bytes,
                                          size_t len,
                                          const struct faceprint_decode_limits *limits,
                                          struct faceprint_picture **picture,
                                          struct faceprint_error **error);

// Reads and decodes a file.
faceprint_status faceprint_picture_read(const char *path,
                                        const struct faceprint_decode_limits *limits,
                                        struct faceprint_picture **picture,
                                        struct faceprint_error **error);

// A picture from `width * height * 3` bytes of RGB without padding, which are copied.
faceprint_status faceprint_picture_from_rgb(const uint8_t *rgb,
                                            size_t len,
                                            uint32_t width,
                                            uint32_t height,
                                            struct faceprint_picture **picture,
                                            struct faceprint_error **error);

// The picture mirrored left to right.
faceprint_status faceprint_picture_mirrored(const struct faceprint_picture *picture,
                                            struct faceprint_picture **mirrored,
                                            struct faceprint_error **error);

// The picture as calls take it; all zero for NULL. Its pixels live as long as `picture`.
struct faceprint_image faceprint_picture_image(const struct faceprint_picture *picture);

// Frees a picture.
void faceprint_picture_free(struct faceprint_picture *picture);

// The number of the clockwise turn a camera reports, 0, 90, 180 or 270 degrees.
faceprint_status faceprint_orientation_from_degrees(uint32_t degrees,
                                                    uint32_t *orientation,
                                                    struct faceprint_error **error);

// The pack inside the library.
faceprint_status faceprint_pack_bundled(struct faceprint_pack **pack, struct faceprint_error **error);

// The pack of a folder with `faceprint.toml`, or of a manifest file. `name` chooses one of several; NULL when there is
// one.
faceprint_status faceprint_pack_open(const char *path,
                                     const char *name,
                                     struct faceprint_pack **pack,
                                     struct faceprint_error **error);

// A pack of the library's catalogue, whose files were pulled with `faceprint models pull`.
faceprint_status faceprint_pack_find(const char *name, struct faceprint_pack **pack, struct faceprint_error **error);

// Its name.
const char *faceprint_pack_name(const struct faceprint_pack *pack);

// A sentence for people; may be empty.
const char *faceprint_pack_description(const struct faceprint_pack *pack);

// How many models it has.
size_t faceprint_pack_models_len(const struct faceprint_pack *pack);

// One of its models: detector, embedder, then those for liveness.
const struct faceprint_model *faceprint_pack_models_at(const struct faceprint_pack *pack, size_t index);

// From which mean score of its liveness models on a face counts as live, 0 to 1; -1 when it has none.
float faceprint_pack_liveness_threshold(const struct faceprint_pack *pack);

// The embedding space of the pack's templates.
faceprint_status faceprint_pack_space(const struct faceprint_pack *pack,
                                      struct faceprint_space_id *space,
                                      struct faceprint_error **error);

// The similarity from which two faces are the same with a false match rate of at most `fmr`, above 0 and below 1. For
// one comparison; a search among n needs faceprint_pack_threshold_for.
faceprint_status faceprint_pack_threshold(const struct faceprint_pack *pack,
                                          double fmr,
                                          float *threshold,
                                          struct faceprint_error **error);

// The similarity from which on a search among `n` templates may name somebody, so that at most the share `fpir` of
// the searches for people who are not among them does.
faceprint_status faceprint_pack_threshold_for(const struct faceprint_pack *pack,
                                              double fpir,
                                              size_t n,
                                              struct faceprint_search_threshold *threshold,
                                              struct faceprint_error **error);

// Frees a pack.
void faceprint_pack_free(struct faceprint_pack *pack);

// A template of `len` values of the embedder of `space`, which are scaled to unit length.
faceprint_status faceprint_template_new(const float *values,
                                        size_t len,
                                        const struct faceprint_space_id *space,
                                        struct faceprint_template **template_,
                                        struct faceprint_error **error);

// A copy, for what outlives the list a template came from.
faceprint_status faceprint_template_clone(const struct faceprint_template *template_,
                                          struct faceprint_template **copy,
                                          struct faceprint_error **error);

// How many values it has.
size_t faceprint_template_dimension(const struct faceprint_template *template_);

// The values; they live as long as the template.
const float *faceprint_template_values(const struct faceprint_template *template_);

// The space it lives in; all zero for NULL.
struct faceprint_space_id faceprint_template_space(const struct faceprint_template *template_);

// Cosine similarity, -1 to 1.
faceprint_status faceprint_template_similarity(const struct faceprint_template *a,
                                               const struct faceprint_template *b,
                                               float *similarity,
                                               struct faceprint_error **error);

// Whether templates are of one person: the position of the most typical one, and for each whether it is of somebody else
// (true in `outliers`, of `len` places), when similar by less than `same_person`.
faceprint_status faceprint_templates_agreement(const struct faceprint_template *const *templates,
                                               size_t len,
                                               float same_person,
                                               size_t *typical,
                                               bool *outliers,
                                               struct faceprint_error **error);

// Frees a template of the caller's. Those of lists are freed with them.
void faceprint_template_free(struct faceprint_template *template_);

// Reads 64 hexadecimal digits.
faceprint_status faceprint_space_id_parse(const char *text,
                                          struct faceprint_space_id *space,
                                          struct faceprint_error **error);

// Reads 32 hexadecimal digits.
faceprint_status faceprint_template_id_parse(const char *text,
                                             struct faceprint_template_id *id,
                                             struct faceprint_error **error);

// The value of a faceprint_measure, in its unit; NaN for NULL and for a measure that is none.
float faceprint_quality_get(const struct faceprint_quality *quality, uint32_t measure);

// The value as ISO/IEC 29794-5's quality component, 0 (worst) to 100; NaN for measures that are not the standard's.
float faceprint_quality_component(const struct faceprint_quality *quality, uint32_t measure);

// Frees measures of the caller's, from faceprint_engine_quality. Those of faces are freed with them.
void faceprint_quality_free(struct faceprint_quality *quality);

// A policy with the bounds of a faceprint_policy_preset.
faceprint_status faceprint_policy_new(uint32_t preset,
                                      struct faceprint_policy **policy,
                                      struct faceprint_error **error);

// Asks for at least `minimum` of a faceprint_measure from now on; -INFINITY for no bound.
faceprint_status faceprint_policy_at_least(const struct faceprint_policy *policy,
                                           uint32_t measure,
                                           float minimum,
                                           struct faceprint_error **error);

// Asks for at most `maximum` of a faceprint_measure from now on, for an angle to either side; INFINITY for no bound.
faceprint_status faceprint_policy_at_most(const struct faceprint_policy *policy,
                                          uint32_t measure,
                                          float maximum,
                                          struct faceprint_error **error);

// The least that is asked for; NaN for no bound.
float faceprint_policy_minimum(const struct faceprint_policy *policy, uint32_t measure);

// The most that is accepted; NaN for no bound.
float faceprint_policy_maximum(const struct faceprint_policy *policy, uint32_t measure);

// What speaks against a face of this quality; an empty list when it is good enough.
faceprint_status faceprint_policy_judge(const struct faceprint_policy *policy,
                                        const struct faceprint_quality *quality,
                                        struct faceprint_issues **issues,
                                        struct faceprint_error **error);

// Frees a policy.
void faceprint_policy_free(struct faceprint_policy *policy);

// How many reasons there are.
size_t faceprint_issues_len(const struct faceprint_issues *issues);

// One of them; NULL from the length on.
const struct faceprint_issue *faceprint_issues_at(const struct faceprint_issues *issues, size_t index);

// Frees a list.
void faceprint_issues_free(struct faceprint_issues *issues);

// How many faces there are.
size_t faceprint_detections_len(const struct faceprint_detections *detections);

// One of them; NULL from the length on.
const struct faceprint_detection *faceprint_detections_at(const struct faceprint_detections *detections,
                                                          size_t index);

// Frees a list.
void faceprint_detections_free(struct faceprint_detections *detections);

// How many faces there are.
size_t faceprint_faces_len(const struct faceprint_faces *faces);

// One of them; NULL from the length on.
const struct faceprint_face *faceprint_faces_at(const struct faceprint_faces *faces, size_t index);

// Frees a list, with the templates of its faces.
void faceprint_faces_free(struct faceprint_faces *faces);

// The face of a sample; NULL for NULL.
const struct faceprint_face *faceprint_sample_face(const struct faceprint_sample *sample);

// The template of a sample; NULL for NULL.
const struct faceprint_template *faceprint_sample_template(const struct faceprint_sample *sample);

// What the liveness models said, if the engine was made with them: whether it did.
bool faceprint_sample_liveness(const struct faceprint_sample *sample, struct faceprint_liveness *liveness);

// Frees a sample, with its template.
void faceprint_sample_free(struct faceprint_sample *sample);

// Loads the models of `pack`; `options` may be NULL.
faceprint_status faceprint_engine_new(const struct faceprint_pack *pack,
                                      const struct faceprint_engine_options *options,
                                      struct faceprint_engine **engine,
                                      struct faceprint_error **error);

// The faces in `image`, best score first.
faceprint_status faceprint_engine_detect(const struct faceprint_engine *engine,
                                         const struct faceprint_image *image,
                                         struct faceprint_detections **detections,
                                         struct faceprint_error **error);

// The faces in `image` with a template and their quality each, best score first. Nothing is judged.
faceprint_status faceprint_engine_analyze(const struct faceprint_engine *engine,
                                          const struct faceprint_image *image,
                                          struct faceprint_faces **faces,
                                          struct faceprint_error **error);

// faceprint_engine_analyze for `len` images on all cores: `faces` has `len` places, all of which are filled, or none.
// `progress` may be NULL, and is called from several threads.
faceprint_status faceprint_engine_analyze_all(const struct faceprint_engine *engine,
                                              const struct faceprint_image *images,
                                              size_t len,
                                              faceprint_progress progress,
                                              void *user,
                                              struct faceprint_faces **faces,
                                              struct faceprint_error **error);

// The one prominent face of `image`, if it is good enough: `sample` gets it and `issues` NULL. Otherwise `sample` gets
// NULL and `issues` the reasons. A poor picture is no error.
faceprint_status faceprint_engine_capture(const struct faceprint_engine *engine,
                                          const struct faceprint_image *image,
                                          struct faceprint_sample **sample,
                                          struct faceprint_issues **issues,
                                          struct faceprint_error **error);

// How good a face is, taken as alone in the picture. To be freed.
faceprint_status faceprint_engine_quality(const struct faceprint_engine *engine,
                                          const struct faceprint_image *image,
                                          const struct faceprint_detection *detection,
                                          struct faceprint_quality **quality,
                                          struct faceprint_error **error);

// The template of the face at `landmarks`.
faceprint_status faceprint_engine_template(const struct faceprint_engine *engine,
                                           const struct faceprint_image *image,
                                           const struct faceprint_landmarks *landmarks,
                                           struct faceprint_template **template_,
                                           struct faceprint_error **error);

// The face at `landmarks`, aligned as the pack's embedder sees it.
faceprint_status faceprint_engine_crop(const struct faceprint_engine *engine,
                                       const struct faceprint_image *image,
                                       const struct faceprint_landmarks *landmarks,
                                       struct faceprint_picture **crop,
                                       struct faceprint_error **error);

// The templates of `len` crops that are aligned already: `templates` has `len` places, all of which are filled, or
// none.
faceprint_status faceprint_engine_templates_of_crops(const struct faceprint_engine *engine,
                                                     const struct faceprint_picture *const *crops,
                                                     size_t len,
                                                     struct faceprint_template **templates,
                                                     struct faceprint_error **error);

// What the pack's liveness models say of a face. `image` is the whole frame.
faceprint_status faceprint_engine_liveness(const struct faceprint_engine *engine,
                                           const struct faceprint_image *image,
                                           const struct faceprint_detection *detection,
                                           struct faceprint_liveness *liveness,
                                           struct faceprint_error **error);

// Whether the engine was made with liveness models; false for NULL.
bool faceprint_engine_has_liveness(const struct faceprint_engine *engine);

// faceprint_pack_threshold of the engine's pack.
faceprint_status faceprint_engine_threshold(const struct faceprint_engine *engine,
                                            double fmr,
                                            float *threshold,
                                            struct faceprint_error **error);

// A copy of what faceprint_engine_capture asks of a face.
faceprint_status faceprint_engine_policy(const struct faceprint_engine *engine,
                                         struct faceprint_policy **policy,
                                         struct faceprint_error **error);

// What runs the networks; NULL for NULL.
const struct faceprint_backend *faceprint_engine_backend(const struct faceprint_engine *engine);

// Frees an engine.
void faceprint_engine_free(struct faceprint_engine *engine);

// An empty series; frames that are similar by `same_person` or more count as one person.
faceprint_status faceprint_series_new(float same_person,
                                      struct faceprint_series **series,
                                      struct faceprint_error **error);

// Adds what faceprint_engine_capture gave of the next frame: a sample or issues, the other NULL. Both are copied.
faceprint_status faceprint_series_push(const struct faceprint_series *series,
                                       const struct faceprint_sample *sample,
                                       const struct faceprint_issues *issues,
                                       struct faceprint_error **error);

// The best of the frames so far, if `needed` of them agree.
faceprint_status faceprint_series_select(const struct faceprint_series *series,
                                         size_t needed,
                                         struct faceprint_selection **selection,
                                         struct faceprint_error **error);

// Frees a series.
void faceprint_series_free(struct faceprint_series *series);

// Captures each of `len` images and selects the best, as a series does.
faceprint_status faceprint_engine_capture_best(const struct faceprint_engine *engine,
                                               const struct faceprint_image *images,
                                               size_t len,
                                               float same_person,
                                               size_t needed,
                                               struct faceprint_selection **selection,
                                               struct faceprint_error **error);

// The sample; NULL when too few frames agree. Lives as long as `selection`.
const struct faceprint_sample *faceprint_selection_sample(const struct faceprint_selection *selection);

// The frame of the sample, from 0.
size_t faceprint_selection_frame(const struct faceprint_selection *selection);

// How many frames agree.
size_t faceprint_selection_agreeing(const struct faceprint_selection *selection);

// The lowest similarity of an agreeing frame to the most typical one; NaN without a sample.
float faceprint_selection_consistency(const struct faceprint_selection *selection);

// How many frames something speaks against.
size_t faceprint_selection_rejected_len(const struct faceprint_selection *selection);

// What speaks against one of them, and which frame it is (`frame` may be NULL); NULL from the length on.
const struct faceprint_issues *faceprint_selection_rejected_at(const struct faceprint_selection *selection,
                                                               size_t index,
                                                               size_t *frame);

// Frees a selection, with its sample.
void faceprint_selection_free(struct faceprint_selection *selection);

// A passphrase, its bytes as they are. A guess costs 64 MiB and three passes of Argon2id.
faceprint_status faceprint_access_passphrase(const char *passphrase,
                                             struct faceprint_access **access,
                                             struct faceprint_error **error);

// A passphrase whose guesses cost `memory_kib` KiB (8,192 to 1,048,576), `passes` (1 to 10) and `lanes` (1 to 16) where a
// slot is made with it.
faceprint_status faceprint_access_passphrase_with_cost(const char *passphrase,
                                                       uint32_t memory_kib,
                                                       uint32_t passes,
                                                       uint32_t lanes,
                                                       struct faceprint_access **access,
                                                       struct faceprint_error **error);

// `len` = 32 random bytes that the caller keeps.
faceprint_status faceprint_access_key(const uint8_t *key,
                                      size_t len,
                                      struct faceprint_access **access,
                                      struct faceprint_error **error);

// A provider. `release` is called when nothing needs it any more, galleries included; not when this fails.
faceprint_status faceprint_access_provider(const struct faceprint_key_provider *provider,
                                           struct faceprint_access **access,
                                           struct faceprint_error **error);

// The answer of a key provider: `len` bytes, which are copied.
void faceprint_answer_set(struct faceprint_answer *answer, const uint8_t *bytes, size_t len);

// Why a key provider refuses, for the message of the error; the provider returns something else than 0 then.
void faceprint_answer_refuse(struct faceprint_answer *answer, const char *why);

// Frees an access; its secret is wiped from memory.
void faceprint_access_free(struct faceprint_access *access);

// Makes a gallery at `path` that `access` opens and that accepts templates of `space`.
faceprint_status faceprint_gallery_create(const char *path,
                                          const struct faceprint_access *access,
                                          const struct faceprint_space_id *space,
                                          struct faceprint_gallery **gallery,
                                          struct faceprint_error **error);

// Opens the gallery at `path` and verifies that every row is there and is what it was.
faceprint_status faceprint_gallery_open(const char *path,
                                        const struct faceprint_access *access,
                                        struct faceprint_gallery **gallery,
                                        struct faceprint_error **error);

// The same without the possibility to change anything.
faceprint_status faceprint_gallery_open_read_only(const char *path,
                                                  const struct faceprint_access *access,
                                                  struct faceprint_gallery **gallery,
                                                  struct faceprint_error **error);

// Another handle of the gallery, whose tenants hold of each template what a faceprint_memory says.
faceprint_status faceprint_gallery_with_memory(const struct faceprint_gallery *gallery,
                                               uint32_t memory,
                                               struct faceprint_gallery **other,
                                               struct faceprint_error **error);

// Bytes that a template of `dimension` values takes in memory by a faceprint_memory, the person beside it not counted.
faceprint_status faceprint_memory_bytes_per_template(uint32_t memory,
                                                     size_t dimension,
                                                     size_t *bytes,
                                                     struct faceprint_error **error);

// Another handle of the gallery, with a clock of the caller's, who keeps `user` until the handle and all tenants asked
// of it are freed. The function may be called from any thread.
faceprint_status faceprint_gallery_with_clock(const struct faceprint_gallery *gallery,
                                              faceprint_clock clock,
                                              void *user,
                                              struct faceprint_gallery **other,
                                              struct faceprint_error **error);

// How long calls wait while another process writes; 5,000 by default.
faceprint_status faceprint_gallery_busy_timeout(const struct faceprint_gallery *gallery,
                                                uint32_t milliseconds,
                                                struct faceprint_error **error);

// The tenant `id`, which is made if it is not there yet and the gallery can be written.
faceprint_status faceprint_gallery_tenant(const struct faceprint_gallery *gallery,
                                          const char *id,
                                          struct faceprint_tenant **tenant,
                                          struct faceprint_error **error);

// The tenants there are, in order of their names' bytes.
faceprint_status faceprint_gallery_tenants(const struct faceprint_gallery *gallery,
                                           struct faceprint_strings **tenants,
                                           struct faceprint_error **error);

// Forgets a tenant with everybody in it. `erased` may be NULL.
faceprint_status faceprint_gallery_erase_tenant(const struct faceprint_gallery *gallery,
                                                const char *id,
                                                struct faceprint_erased *erased,
                                                struct faceprint_error **error);

// What is in the gallery, by numbers.
faceprint_status faceprint_gallery_info(const struct faceprint_gallery *gallery,
                                        struct faceprint_info *info,
                                        struct faceprint_error **error);

// The spaces the gallery accepts, oldest first, and who is in them.
faceprint_status faceprint_gallery_spaces(const struct faceprint_gallery *gallery,
                                          struct faceprint_spaces **spaces,
                                          struct faceprint_error **error);

// Accepts templates of `space` too.
faceprint_status faceprint_gallery_add_space(const struct faceprint_gallery *gallery,
                                             const struct faceprint_space_id *space,
                                             struct faceprint_error **error);

// Accepts `space` no more and removes the templates in it. When somebody has templates in that space only, nothing is
// done, unless `strand` says that they may stay without.
faceprint_status faceprint_gallery_remove_space(const struct faceprint_gallery *gallery,
                                                const struct faceprint_space_id *space,
                                                bool strand,
                                                struct faceprint_error **error);

// Reads and opens everything there is.
faceprint_status faceprint_gallery_check(const struct faceprint_gallery *gallery, struct faceprint_error **error);

// Removes every byte of what was erased and gives the room back.
faceprint_status faceprint_gallery_compact(const struct faceprint_gallery *gallery, struct faceprint_error **error);

// Writes a copy of the gallery as it is now to `path`.
faceprint_status faceprint_gallery_backup(const struct faceprint_gallery *gallery,
                                          const char *path,
                                          struct faceprint_error **error);

// A token of the state the gallery is in, to be kept elsewhere.
faceprint_status faceprint_gallery_head(const struct faceprint_gallery *gallery,
                                        struct faceprint_string **head,
                                        struct faceprint_error **error);

// Whether the gallery is as new as it was when `head` was taken; FACEPRINT_STATUS_INTEGRITY when it is not.
faceprint_status faceprint_gallery_check_head(const struct faceprint_gallery *gallery,
                                              const char *head,
                                              struct faceprint_error **error);

// Frees a handle of a gallery; the file is closed with the last one, those of tenants included.
void faceprint_gallery_free(struct faceprint_gallery *gallery);

// How many spaces there are.
size_t faceprint_spaces_len(const struct faceprint_spaces *spaces);

// One of them; NULL from the length on.
const struct faceprint_space_report *faceprint_spaces_at(const struct faceprint_spaces *spaces, size_t index);

// Frees a list.
void faceprint_spaces_free(struct faceprint_spaces *spaces);

// The ways into the gallery.
faceprint_status faceprint_gallery_slots(const struct faceprint_gallery *gallery,
                                         struct faceprint_slots **slots,
                                         struct faceprint_error **error);

// Lets `access` open the gallery too. `slot` gets the number of the new slot, and may be NULL.
faceprint_status faceprint_gallery_add_access(const struct faceprint_gallery *gallery,
                                              const struct faceprint_access *access,
                                              int64_t *slot,
                                              struct faceprint_error **error);

// Closes one way into the gallery.
faceprint_status faceprint_gallery_remove_access(const struct faceprint_gallery *gallery,
                                                 int64_t slot,
                                                 struct faceprint_error **error);

// Puts `access` in the place of the slot this gallery was opened with. Immediate; what to do when a passphrase is
// to be changed.
faceprint_status faceprint_gallery_rotate_key(const struct faceprint_gallery *gallery,
                                              const struct faceprint_access *access,
                                              struct faceprint_error **error);

// Makes all keys anew and seals everything again; `access` becomes the only way in. What to do when a key may have been
// seen.
faceprint_status faceprint_gallery_rekey(const struct faceprint_gallery *gallery,
                                         const struct faceprint_access *access,
                                         struct faceprint_error **error);

// How many slots there are.
size_t faceprint_slots_len(const struct faceprint_slots *slots);

// One of them; NULL from the length on.
const struct faceprint_slot *faceprint_slots_at(const struct faceprint_slots *slots, size_t index);

// Frees a list.
void faceprint_slots_free(struct faceprint_slots *slots);

// Whose people these are; NULL for NULL.
const char *faceprint_tenant_id(const struct faceprint_tenant *tenant);

// Another handle of the tenant, with other rules for enrolment.
faceprint_status faceprint_tenant_with_policy(const struct faceprint_tenant *tenant,
                                              const struct faceprint_enroll_policy *policy,
                                              struct faceprint_tenant **other,
                                              struct faceprint_error **error);

// Adds a template to `subject`, who is enrolled if they are not yet. It is on disk when this returns. That somebody
// else looks the same is an outcome, and no error. What else is known of the person or the picture goes in with
// faceprint_tenant_enroll_all, which takes a single template too.
faceprint_status faceprint_tenant_enroll(const struct faceprint_tenant *tenant,
                                         const char *subject,
                                         const struct faceprint_template *template_,
                                         struct faceprint_enrollment *enrollment,
                                         struct faceprint_error **error);

// faceprint_tenant_enroll for `len` templates in one durable commit: all of them, or none when one is refused with an
// error. Duplicates are outcomes and do not stop it; of them nothing is stored, details neither. `progress` may be
// NULL; it must not use the tenant.
faceprint_status faceprint_tenant_enroll_all(const struct faceprint_tenant *tenant,
                                             const struct faceprint_new_template *templates,
                                             size_t len,
                                             faceprint_progress progress,
                                             void *user,
                                             struct faceprint_enrollments **enrollments,
                                             struct faceprint_error **error);

// Puts a template in the place of all that `subject` has in its space.
faceprint_status faceprint_tenant_replace(const struct faceprint_tenant *tenant,
                                          const char *subject,
                                          const struct faceprint_template *template_,
                                          struct faceprint_enrollment *enrollment,
                                          struct faceprint_error **error);

// Removes one template. A subject without templates stays, and is not found by their face.
faceprint_status faceprint_tenant_remove_template(const struct faceprint_tenant *tenant,
                                                  const char *subject,
                                                  const struct faceprint_template_id *id,
                                                  struct faceprint_error **error);

// Forgets `subject`: key, templates and details go in one commit. `erased` may be NULL.
faceprint_status faceprint_tenant_erase(const struct faceprint_tenant *tenant,
                                        const char *subject,
                                        struct faceprint_erased *erased,
                                        struct faceprint_error **error);

// Erases everybody who has expired. `erased` may be NULL.
faceprint_status faceprint_tenant_purge_expired(const struct faceprint_tenant *tenant,
                                                struct faceprint_erased *erased,
                                                struct faceprint_error **error);

// Everybody who is enrolled and has not expired, in order of their ids' bytes.
faceprint_status faceprint_tenant_subjects(const struct faceprint_tenant *tenant,
                                           struct faceprint_strings **subjects,
                                           struct faceprint_error **error);

// faceprint_gallery_spaces of this tenant alone.
faceprint_status faceprint_tenant_spaces(const struct faceprint_tenant *tenant,
                                         struct faceprint_spaces **spaces,
                                         struct faceprint_error **error);

// Frees a handle of a tenant.
void faceprint_tenant_free(struct faceprint_tenant *tenant);

// How many enrolments there were.
size_t faceprint_enrollments_len(const struct faceprint_enrollments *enrollments);

// What became of one of them; NULL from the length on.
const struct faceprint_enrollment *faceprint_enrollments_at(const struct faceprint_enrollments *enrollments,
                                                            size_t index);

// How many near misses the enrolment at `index` has; 0 from the length on.
size_t faceprint_enrollments_near_misses_len(const struct faceprint_enrollments *enrollments, size_t index);

// One of them, most similar first; NULL from either length on.
const struct faceprint_near_miss *faceprint_enrollments_near_misses_at(const struct faceprint_enrollments *enrollments,
                                                                       size_t index,
                                                                       size_t near_miss);

// Frees a list.
void faceprint_enrollments_free(struct faceprint_enrollments *enrollments);

// The people most similar to `probe`, each with their best template. `query` may be NULL.
faceprint_status faceprint_tenant_identify(const struct faceprint_tenant *tenant,
                                           const struct faceprint_template *probe,
                                           const struct faceprint_query *query,
                                           struct faceprint_hits **hits,
                                           struct faceprint_error **error);

// faceprint_tenant_identify for `len` probes in one pass: `hits` has `len` places, all of which are filled, or none.
faceprint_status faceprint_tenant_identify_all(const struct faceprint_tenant *tenant,
                                               const struct faceprint_template *const *probes,
                                               size_t len,
                                               const struct faceprint_query *query,
                                               struct faceprint_hits **hits,
                                               struct faceprint_error **error);

// Who `probe` is: a faceprint_verdict, and those it is about. Always exact.
faceprint_status faceprint_tenant_decide(const struct faceprint_tenant *tenant,
                                         const struct faceprint_template *probe,
                                         const struct faceprint_query *query,
                                         uint32_t *verdict,
                                         struct faceprint_hits **hits,
                                         struct faceprint_error **error);

// The similarity of `probe` to the most similar template of `subject`. Whether that is enough is the caller's threshold
// to say.
faceprint_status faceprint_tenant_verify(const struct faceprint_tenant *tenant,
                                         const char *subject,
                                         const struct faceprint_template *probe,
                                         float *similarity,
                                         struct faceprint_error **error);

// Pairs of subjects that are similar by `at_least` or more. `progress` may be NULL.
faceprint_status faceprint_tenant_find_duplicates(const struct faceprint_tenant *tenant,
                                                  float at_least,
                                                  faceprint_progress progress,
                                                  void *user,
                                                  struct faceprint_pairs **pairs,
                                                  struct faceprint_error **error);

// Another handle of the tenant, searched by a graph that finds the most similar person for a share of `target_recall`
// (0.5 to 0.999) of hard probes at least; 0 for the exact scan, which is the default.
faceprint_status faceprint_tenant_with_index(const struct faceprint_tenant *tenant,
                                             double target_recall,
                                             struct faceprint_tenant **other,
                                             struct faceprint_error **error);

// Where the index of this handle stands for templates of `space`: a faceprint_index_state. Asking begins its building.
faceprint_status faceprint_tenant_index_state(const struct faceprint_tenant *tenant,
                                              const struct faceprint_space_id *space,
                                              uint32_t *state,
                                              struct faceprint_error **error);

// How many people were found.
size_t faceprint_hits_len(const struct faceprint_hits *hits);

// One of them; NULL from the length on.
const struct faceprint_hit *faceprint_hits_at(const struct faceprint_hits *hits, size_t index);

// 1 for an exact answer; otherwise the share of probes whose most similar person is found, as audited.
double faceprint_hits_audited_recall(const struct faceprint_hits *hits);

// Frees a list.
void faceprint_hits_free(struct faceprint_hits *hits);

// How many pairs there are.
size_t faceprint_pairs_len(const struct faceprint_pairs *pairs);

// One of them; NULL from the length on.
const struct faceprint_pair *faceprint_pairs_at(const struct faceprint_pairs *pairs, size_t index);

// Frees a list.
void faceprint_pairs_free(struct faceprint_pairs *pairs);

// Stores `details` of `subject` in place of those before.
faceprint_status faceprint_tenant_set_details(const struct faceprint_tenant *tenant,
                                              const char *subject,
                                              const struct faceprint_details *details,
                                              struct faceprint_error **error);

// What is stored of `id`.
faceprint_status faceprint_tenant_subject(const struct faceprint_tenant *tenant,
                                          const char *id,
                                          struct faceprint_subject **subject,
                                          struct faceprint_error **error);

// The templates of `subject` in all spaces, bit by bit as they were enrolled.
faceprint_status faceprint_tenant_templates(const struct faceprint_tenant *tenant,
                                            const char *subject,
                                            struct faceprint_stored_templates **templates,
                                            struct faceprint_error **error);

// Who.
const char *faceprint_subject_id(const struct faceprint_subject *subject);

// Which enrolment of them this is, for ever: the key to keep a copy elsewhere under.
const char *faceprint_subject_reference(const struct faceprint_subject *subject);

// The metadata; NULL for none.
const char *faceprint_subject_metadata(const struct faceprint_subject *subject);

// When the first template was enrolled.
int64_t faceprint_subject_enrolled_at(const struct faceprint_subject *subject);

// When the person agreed, or FACEPRINT_NO_TIME.
int64_t faceprint_subject_consent(const struct faceprint_subject *subject);

// When they expire, or FACEPRINT_NO_TIME.
int64_t faceprint_subject_expires_at(const struct faceprint_subject *subject);

// How many templates there are, in all spaces.
size_t faceprint_subject_templates(const struct faceprint_subject *subject);

// Frees what is known of a subject. It stays in the gallery.
void faceprint_subject_free(struct faceprint_subject *subject);

// How many templates there are.
size_t faceprint_stored_templates_len(const struct faceprint_stored_templates *templates);

// One of them; NULL from the length on.
const struct faceprint_stored_template *faceprint_stored_templates_at(const struct faceprint_stored_templates *templates,
                                                                      size_t index);

// Frees a list.
void faceprint_stored_templates_free(struct faceprint_stored_templates *templates);

// Up to `limit` people who changed after `cursor`, which an earlier call gave; NULL for the start.
faceprint_status faceprint_tenant_changes_since(const struct faceprint_tenant *tenant,
                                                const char *cursor,
                                                size_t limit,
                                                struct faceprint_changes **changes,
                                                struct faceprint_error **error);

// Where the next page begins.
const char *faceprint_changes_cursor(const struct faceprint_changes *changes);

// How many changes there are; 0 when there is nothing new.
size_t faceprint_changes_len(const struct faceprint_changes *changes);

// One of them; NULL from the length on.
const struct faceprint_change *faceprint_changes_at(const struct faceprint_changes *changes, size_t index);

// Frees a page.
void faceprint_changes_free(struct faceprint_changes *changes);

// What bundles for this gallery are encrypted to: "device-" and 64 digits. No secret.
faceprint_status faceprint_gallery_device_key(const struct faceprint_gallery *gallery,
                                              struct faceprint_string **key,
                                              struct faceprint_error **error);

// What this gallery signs its bundles with: "signer-" and 64 digits. No secret.
faceprint_status faceprint_gallery_signer(const struct faceprint_gallery *gallery,
                                          struct faceprint_string **key,
                                          struct faceprint_error **error);

// People of this tenant for one device: encrypted to it, signed by this gallery, for a time.
faceprint_status faceprint_tenant_export_bundle(const struct faceprint_tenant *tenant,
                                                const struct faceprint_bundle_request *request,
                                                struct faceprint_bundle **bundle,
                                                struct faceprint_error **error);

// Brings the people of a bundle in, all or none. `signer` is what faceprint_gallery_signer gave in the office.
// `imported` may be NULL.
faceprint_status faceprint_tenant_import_bundle(const struct faceprint_tenant *tenant,
                                                const uint8_t *bytes,
                                                size_t len,
                                                const char *signer,
                                                struct faceprint_imported **imported,
                                                struct faceprint_error **error);

// What the device is sent, and in `len` how many bytes.
const uint8_t *faceprint_bundle_bytes(const struct faceprint_bundle *bundle, size_t *len);

// Where a delta to this bundle begins.
const char *faceprint_bundle_cursor(const struct faceprint_bundle *bundle);

// People in it.
uint64_t faceprint_bundle_subjects(const struct faceprint_bundle *bundle);

// Marks of erased people in it.
uint64_t faceprint_bundle_erased(const struct faceprint_bundle *bundle);

// Who was asked for and is not enrolled.
const struct faceprint_strings *faceprint_bundle_missing(const struct faceprint_bundle *bundle);

// Frees a bundle.
void faceprint_bundle_free(struct faceprint_bundle *bundle);

// People who are new here.
uint64_t faceprint_imported_added(const struct faceprint_imported *imported);

// People who were here, with another version or another time.
uint64_t faceprint_imported_updated(const struct faceprint_imported *imported);

// People who were here and went.
uint64_t faceprint_imported_erased(const struct faceprint_imported *imported);

// Entries that said nothing new.
uint64_t faceprint_imported_unchanged(const struct faceprint_imported *imported);

// Who was not brought in, because somebody of that name was here.
const struct faceprint_strings *faceprint_imported_conflicts(const struct faceprint_imported *imported);

// Frees what is known of an import.
void faceprint_imported_free(struct faceprint_imported *imported);

// Reads 32 hexadecimal digits.
faceprint_status faceprint_event_id_parse(const char *text,
                                          struct faceprint_event_id *id,
                                          struct faceprint_error **error);

// How many events there are.
size_t faceprint_events_len(const struct faceprint_events *events);

// One of them; NULL from the length on.
const struct faceprint_event *faceprint_events_at(const struct faceprint_events *events, size_t index);

// Frees a list.
void faceprint_events_free(struct faceprint_events *events);

// A stream that sees with `engine` and knows the people of `tenant`; neither is needed longer. It goes on where an
// earlier stream ended, with `len` sightings; NULL and 0 for none.
faceprint_status faceprint_stream_new(const struct faceprint_engine *engine,
                                      const struct faceprint_tenant *tenant,
                                      const struct faceprint_stream_options *options,
                                      const struct faceprint_sighting *sightings,
                                      size_t len,
                                      struct faceprint_stream **stream,
                                      struct faceprint_error **error);

// Looks at the next frame, taken `at`, and gives what it decides: usually nothing.
faceprint_status faceprint_stream_push(const struct faceprint_stream *stream,
                                       const struct faceprint_image *image,
                                       int64_t at,
                                       struct faceprint_events **events,
                                       struct faceprint_error **error);

// The faces of the last frame that are followed.
faceprint_status faceprint_stream_followed(const struct faceprint_stream *stream,
                                           struct faceprint_followed_faces **faces,
                                           struct faceprint_error **error);

// Who of the gallery was seen within the cooldown, for the stream that takes over.
faceprint_status faceprint_stream_sightings(const struct faceprint_stream *stream,
                                            struct faceprint_sightings **sightings,
                                            struct faceprint_error **error);

// Forgets somebody who was erased from the gallery: when they were seen, and whose face it was that is followed, so
// that the sightings do not bring them back. Called after the erasure.
faceprint_status faceprint_stream_forget(const struct faceprint_stream *stream,
                                         const char *subject,
                                         struct faceprint_error **error);

// What was done so far; all 0 for NULL.
struct faceprint_stats faceprint_stream_stats(const struct faceprint_stream *stream);

// Frees a stream.
void faceprint_stream_free(struct faceprint_stream *stream);

// How many faces are followed.
size_t faceprint_followed_faces_len(const struct faceprint_followed_faces *faces);

// One of them; NULL from the length on.
const struct faceprint_followed *faceprint_followed_faces_at(const struct faceprint_followed_faces *faces,
                                                             size_t index);

// Frees a list.
void faceprint_followed_faces_free(struct faceprint_followed_faces *faces);

// How many sightings there are.
size_t faceprint_sightings_len(const struct faceprint_sightings *sightings);

// One of them, and those behind it: what faceprint_stream_new and faceprint_outbox_remember take. NULL from the length
// on.
const struct faceprint_sighting *faceprint_sightings_at(const struct faceprint_sightings *sightings,
                                                        size_t index);

// Frees a list.
void faceprint_sightings_free(struct faceprint_sightings *sightings);

// Opens or makes the outbox at `path`, by a faceprint_open_mode. It holds `limit` events; one more is refused with
// FACEPRINT_STATUS_LIMIT_REACHED, or the oldest given up with `drop_oldest`.
faceprint_status faceprint_outbox_open(const char *path,
                                       const struct faceprint_access *access,
                                       uint32_t mode,
                                       uint64_t limit,
                                       bool drop_oldest,
                                       struct faceprint_outbox **outbox,
                                       struct faceprint_error **error);

// Adds an event, durably, and its sighting. `added` (false when it was there already) and `dropped` (how many older
// ones had to go) may be NULL.
faceprint_status faceprint_outbox_push(const struct faceprint_outbox *outbox,
                                       const struct faceprint_event *event,
                                       bool *added,
                                       uint64_t *dropped,
                                       struct faceprint_error **error);

// The oldest event that is due at `now`; NULL when there is none. For `lease` milliseconds, an hour at most, it is
// nobody else's.
faceprint_status faceprint_outbox_lease(const struct faceprint_outbox *outbox,
                                        int64_t now,
                                        uint64_t lease,
                                        struct faceprint_delivery **delivery,
                                        struct faceprint_error **error);

// The event of `id` was delivered, and is removed. `gone` says whether it was still there, and may be NULL.
faceprint_status faceprint_outbox_ack(const struct faceprint_outbox *outbox,
                                      const struct faceprint_event_id *id,
                                      bool *gone,
                                      struct faceprint_error **error);

// The event of `id` could not be delivered: it is due again later. `when` gets the time, FACEPRINT_NO_TIME
// when it is gone, and may be NULL.
faceprint_status faceprint_outbox_retry(const struct faceprint_outbox *outbox,
                                        const struct faceprint_event_id *id,
                                        int64_t now,
                                        int64_t *when,
                                        struct faceprint_error **error);

// How many events wait.
faceprint_status faceprint_outbox_len(const struct faceprint_outbox *outbox,
                                      uint64_t *len,
                                      struct faceprint_error **error);

// The oldest events, `at_most` of them, whether they are due or not. Nothing is changed.
faceprint_status faceprint_outbox_peek(const struct faceprint_outbox *outbox,
                                       size_t at_most,
                                       struct faceprint_events **events,
                                       struct faceprint_error **error);

// Forgets `subject`: their events, delivered or not, and their sighting, in one commit, and overwrites the bytes. A
// stream that runs is told first, with faceprint_stream_forget. `erased`, how many events that were, may be NULL.
// FACEPRINT_STATUS_LOCKED: the person is forgotten, the sealed bytes are not gone yet, and the same call again
// removes them.
faceprint_status faceprint_outbox_erase(const struct faceprint_outbox *outbox,
                                        const char *subject,
                                        uint64_t *erased,
                                        struct faceprint_error **error);

// Replaces the sightings by those of a stream.
faceprint_status faceprint_outbox_remember(const struct faceprint_outbox *outbox,
                                           const struct faceprint_sighting *sightings,
                                           size_t len,
                                           struct faceprint_error **error);

// Who was seen, and when last, for faceprint_stream_new.
faceprint_status faceprint_outbox_sightings(const struct faceprint_outbox *outbox,
                                            struct faceprint_sightings **sightings,
                                            struct faceprint_error **error);

// Frees an outbox; the file stays.
void faceprint_outbox_free(struct faceprint_outbox *outbox);

// The event, which lives as long as the delivery.
const struct faceprint_event *faceprint_delivery_event(const struct faceprint_delivery *delivery);

// Which attempt this is, from 1.
uint32_t faceprint_delivery_attempt(const struct faceprint_delivery *delivery);

// Frees a delivery. The event stays in the outbox until it is acknowledged.
void faceprint_delivery_free(struct faceprint_delivery *delivery);

// Reads a key, as `Fernet.generate_key()` makes them.
faceprint_status faceprint_fernet_key_new(const char *text,
                                          struct faceprint_fernet_key **key,
                                          struct faceprint_error **error);

// A token of the template's values.
faceprint_status faceprint_fernet_seal(const struct faceprint_fernet_key *key,
                                       const struct faceprint_template *template_,
                                       struct faceprint_string **token,
                                       struct faceprint_error **error);

// The template in a token, of the model of `space`.
faceprint_status faceprint_fernet_open(const struct faceprint_fernet_key *key,
                                       const char *token,
                                       const struct faceprint_space_id *space,
                                       struct faceprint_template **template_,
                                       struct faceprint_error **error);

// Frees a key, which is wiped from memory.
void faceprint_fernet_key_free(struct faceprint_fernet_key *key);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FACEPRINT_H */

/* Initializers. What they leave to the library is what it does when NULL is given. */

#define FACEPRINT_IMAGE(data, len, width, height, format) \
  { (data), (len), 0, (width), (height), (format), 1, NULL, 0 }

#define FACEPRINT_DECODE_LIMITS_INIT \
  { sizeof(faceprint_decode_limits), 100000000, 536870912, 67108864 }

#define FACEPRINT_ENGINE_OPTIONS_INIT \
  { sizeof(faceprint_engine_options), FACEPRINT_BACKEND_CHOICE_AUTO, FACEPRINT_PROVIDER_CPU, NULL, \
    FACEPRINT_DEFAULT, FACEPRINT_DEFAULT, FACEPRINT_DEFAULT, FACEPRINT_DETECTION_SIZE_AUTO, \
    FACEPRINT_DEFAULT_SHARE, FACEPRINT_DEFAULT_SHARE, false, false, NULL, NULL, 0 }

#define FACEPRINT_KEY_PROVIDER_INIT \
  { sizeof(faceprint_key_provider), NULL, NULL, NULL, NULL }

#define FACEPRINT_ENROLL_POLICY_INIT \
  { sizeof(faceprint_enroll_policy), 0.6f, true, 10, 1000000, 0.1f }

#define FACEPRINT_NEW_TEMPLATE_INIT { NULL, NULL, NULL, NULL, NULL }

#define FACEPRINT_QUERY_INIT \
  { sizeof(faceprint_query), 1, -1.0f, 0.0f, NULL, 0 }

#define FACEPRINT_DETAILS_INIT \
  { sizeof(faceprint_details), NULL, FACEPRINT_NO_TIME, FACEPRINT_NO_TIME }

#define FACEPRINT_BUNDLE_REQUEST_INIT \
  { sizeof(faceprint_bundle_request), NULL, FACEPRINT_NO_TIME, NULL, 0, NULL }

#define FACEPRINT_STREAM_OPTIONS_INIT \
  { sizeof(faceprint_stream_options), FACEPRINT_DEFAULT_SHARE, 3, 6, 30000, 5000, 2000, 10.0f, 0.6f, 1, \
    0 }
