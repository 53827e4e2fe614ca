#!/bin/sh
# Builds the C library and installs it with headers, pkg-config and CMake files:
#
#   ffi/install.sh [PREFIX]          /usr/local when it is not given; DESTDIR is put in front
#
# For Linux. FACEPRINT_FEATURES are cargo features, FACEPRINT_PROFILE another profile than dist; FACEPRINT_BUILT names a
# folder that has the libraries already.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix=${1:-/usr/local}
to=${DESTDIR:-}$prefix

if [ -z "${FACEPRINT_BUILT:-}" ]; then
    profile=${FACEPRINT_PROFILE:-dist}
    cargo build --lib --manifest-path "$here/Cargo.toml" --profile "$profile" --features "${FACEPRINT_FEATURES:-}"
    target=$(cargo metadata --manifest-path "$here/Cargo.toml" --format-version 1 --no-deps |
        sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
    [ "$profile" = dev ] && profile=debug
    FACEPRINT_BUILT=$target/$profile
fi

number() { sed -n "s/^#define FACEPRINT_VERSION_$1 //p" "$here/include/faceprint.h"; }
version=$(number MAJOR).$(number MINOR).$(number PATCH)
# What may break programs: the minor version before 1.0, the major one from then on.
if [ "$(number MAJOR)" = 0 ]; then abi=0.$(number MINOR); else abi=$(number MAJOR); fi

mkdir -p "$to/include" "$to/lib/pkgconfig" "$to/lib/cmake/faceprint"
install -m 644 "$here/include/faceprint.h" "$here/include/faceprint.hpp" "$to/include/"
install -m 755 "$FACEPRINT_BUILT/libfaceprint_ffi.so" "$to/lib/libfaceprint.so.$version"
[ "$abi" = "$version" ] || ln -sf "libfaceprint.so.$version" "$to/lib/libfaceprint.so.$abi"
ln -sf "libfaceprint.so.$abi" "$to/lib/libfaceprint.so"
install -m 644 "$FACEPRINT_BUILT/libfaceprint_ffi.a" "$to/lib/libfaceprint.a"

cat >"$to/lib/pkgconfig/faceprint.pc" <<EOF
prefix=$prefix
includedir=\${prefix}/include
libdir=\${prefix}/lib

Name: faceprint
Description: Face recognition: detection, alignment, embedding, encrypted galleries, matching
Version: $version
Cflags: -I\${includedir}
Libs: -L\${libdir} -lfaceprint
Libs.private: -lgcc_s -lutil -lrt -lpthread -lm -ldl
EOF

cat >"$to/lib/cmake/faceprint/faceprint-config.cmake" <<EOF
# faceprint::faceprint is the shared library, faceprint::static the other one.
get_filename_component(_faceprint_prefix "\${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET faceprint::faceprint)
  add_library(faceprint::faceprint SHARED IMPORTED)
  set_target_properties(faceprint::faceprint PROPERTIES
    IMPORTED_LOCATION "\${_faceprint_prefix}/lib/libfaceprint.so.$version"
    IMPORTED_SONAME "libfaceprint.so.$abi"
    INTERFACE_INCLUDE_DIRECTORIES "\${_faceprint_prefix}/include")
  add_library(faceprint::static STATIC IMPORTED)
  set_target_properties(faceprint::static PROPERTIES
    IMPORTED_LOCATION "\${_faceprint_prefix}/lib/libfaceprint.a"
    INTERFACE_INCLUDE_DIRECTORIES "\${_faceprint_prefix}/include"
    INTERFACE_LINK_LIBRARIES "gcc_s;util;rt;pthread;m;dl")
endif()
unset(_faceprint_prefix)
EOF

cat >"$to/lib/cmake/faceprint/faceprint-config-version.cmake" <<EOF
set(PACKAGE_VERSION "$version")
if(PACKAGE_FIND_VERSION VERSION_GREATER "$version" OR
   NOT "$abi" MATCHES "^\${PACKAGE_FIND_VERSION_MAJOR}(\\\\.|\$)")
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
  if(PACKAGE_FIND_VERSION VERSION_EQUAL "$version")
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
endif()
EOF
echo "faceprint $version is in $to"
