/* Lines of cells between tabs. */
#ifndef TABLE_H
#define TABLE_H

#include "check.h"

typedef struct {
  char *text;
  char *cells[300][20];
  size_t len, columns;
} table;

static inline unsigned char *read_file(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  CHECK(file != NULL);
  CHECK(fseek(file, 0, SEEK_END) == 0);
  *len = (size_t)ftell(file);
  rewind(file);
  unsigned char *bytes = (unsigned char *)malloc(*len + 1);
  CHECK(bytes != NULL && fread(bytes, 1, *len, file) == *len);
  bytes[*len] = 0;
  fclose(file);
  return bytes;
}

/* Row 0 of `cells` is the head. */
static inline void read_table(table *rows, const char *name) {
  size_t size = 0, row = 0, column = 0;
  rows->text = (char *)read_file(join(setting("CONFORMANCE"), name), &size);
  char *start = rows->text;
  for (char *at = rows->text; at < rows->text + size; at++) {
    if (*at != '\t' && *at != '\n') continue;
    CHECK(row < 300 && column < 20);
    rows->cells[row][column++] = start;
    if (*at == '\n') {
      if (row == 0) rows->columns = column;
      CHECK(column == rows->columns);
      row++;
      column = 0;
    }
    *at = 0;
    start = at + 1;
  }
  CHECK(row > 10);
  rows->len = row - 1;
}

static inline void free_table(table *rows) { free(rows->text); }

static inline const char *cell(const table *rows, size_t row, const char *name) {
  size_t column = 0;
  while (column < rows->columns && strcmp(rows->cells[0][column], name) != 0) column++;
  CHECK(column < rows->columns);
  return rows->cells[row + 1][column];
}

static inline double number(const table *rows, size_t row, const char *name) {
  char *end = NULL;
  double value = strtod(cell(rows, row, name), &end);
  CHECK(*end == 0);
  return value;
}

#endif
