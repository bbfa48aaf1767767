#include "kubelet/splice.h"

#include <string.h>

/* -- lines -- */

/* The line breaks of YAML 1.1; the first that fits counts. */
static const char *const breaks[] = {"\r\n",     "\n",           "\r",
                                     "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};

/* The line break that begins there; "" if none does. */
static const char *break_at(const struct buf *text, size_t at)
{
    for (size_t i = 0; i < COUNT_OF(breaks); i++) {
        if (strncmp(buf_text(text) + at, breaks[i], strlen(breaks[i])) == 0)
            return breaks[i];
    }
    return "";
}

/* The line break that ends there; "" if none does. */
static const char *break_before(const struct buf *text, size_t at)
{
    for (size_t i = 0; i < COUNT_OF(breaks); i++) {
        const size_t length = strlen(breaks[i]);

        if (at >= length && memcmp(buf_text(text) + at - length, breaks[i], length) == 0)
            return breaks[i];
    }
    return "";
}

static bool is_line_start(const struct buf *text, size_t at)
{
    return at == 0 || break_before(text, at)[0] != '\0';
}

static size_t line_of(const struct buf *text, size_t at)
{
    while (!is_line_start(text, at))
        at--;
    return at;
}

static size_t end_of_line(const struct buf *text, size_t at)
{
    while (at < text->length && break_at(text, at)[0] == '\0')
        at++;
    return at;
}

static size_t next_line(const struct buf *text, size_t at)
{
    at = end_of_line(text, at);
    return at + strlen(break_at(text, at));
}

/* The first of the text that JSON has too; "\n" if it has none. */
static const char *usual_break(const struct buf *text)
{
    const char *first = strpbrk(buf_text(text), "\r\n");

    return first == NULL ? "\n" : break_at(text, (size_t)(first - buf_text(text)));
}

/* Part of a text. */
struct part {
    const char *bytes;
    size_t length;
};

/* The blanks with which the line of `at` begins. */
static struct part indent_of(const struct buf *text, size_t at)
{
    const char *line = buf_text(text) + line_of(text, at);

    return (struct part){line, strspn(line, " \t")};
}

/* Whether nothing but blanks is before it in its line. */
static bool begins_line(const struct buf *text, size_t at)
{
    return line_of(text, at) + indent_of(text, at).length >= at;
}

static bool has_break(const struct buf *text, const struct yaml_node *node)
{
    return node->begin + strcspn(buf_text(text) + node->begin, "\r\n") < node->end;
}

/* -- values in the style of their place -- */

static void append_scalar(struct buf *out, const struct yaml_node *scalar, bool is_json)
{
    const bool is_bare =
        scalar->is_bare && !(is_json && yaml_tree_type(scalar) == YAML_TYPE_STRING);

    buf_append_format(out, is_bare ? "%s" : "\"%s\"", scalar->text);
}

static void append_spaces(struct buf *out, size_t count)
{
    if (count > 0)
        memset(buf_extend(out, count), ' ', count);
}

static void append_new_line(struct buf *out, const char *line_break, size_t column)
{
    buf_append_text(out, line_break);
    append_spaces(out, column);
}

/* Appends the children of a collection, the first where `out` ends, the others in lines of their
 * own that begin at `column`. */
static void append_block(struct buf *out, bool is_mapping, const struct yaml_node *children,
                         size_t count, const char *line_break, size_t column)
{
    for (size_t i = 0; i < count; i++) {
        const struct yaml_node *child = &children[i];
        size_t inner = column + 2;

        if (i > 0)
            append_new_line(out, line_break, column);
        if (is_mapping) {
            buf_append_format(out, "%s:", child->text);
            child = &children[++i];
            inner = child->kind == YAML_SEQUENCE ? column : inner;
        }
        if (is_mapping && child->kind != YAML_SCALAR)
            append_new_line(out, line_break, inner);
        else
            buf_append_text(out, is_mapping ? " " : "- ");
        if (child->kind == YAML_SCALAR)
            append_scalar(out, child, false);
        else
            append_block(out, child->kind == YAML_MAPPING, child->children, child->count,
                         line_break, inner);
    }
}

/* How brackets are filled. */
struct layout {
    const char *line_break; /* "": all in one line */
    struct part indent;     /* of the line in which the bracket is opened */
    struct part unit;       /* more for each level */
};

static void append_line(struct buf *out, const struct layout *layout, unsigned depth)
{
    buf_append_text(out, layout->line_break);
    if (layout->line_break[0] == '\0')
        return;
    buf_append(out, layout->indent.bytes, layout->indent.length);
    for (; depth > 0; depth--)
        buf_append(out, layout->unit.bytes, layout->unit.length);
}

static void append_flow(struct buf *out, const struct yaml_node *node, const struct layout *layout,
                        unsigned depth)
{
    const bool is_mapping = node->kind == YAML_MAPPING;

    if (node->kind == YAML_SCALAR) {
        append_scalar(out, node, true);
        return;
    }
    buf_append_text(out, is_mapping ? "{" : "[");
    for (size_t i = 0; i < node->count; i++) {
        if (i > 0)
            buf_append_text(out, layout->line_break[0] == '\0' ? ", " : ",");
        append_line(out, layout, depth + 1);
        if (is_mapping)
            buf_append_format(out, "\"%s\": ", node->children[i++].text);
        append_flow(out, &node->children[i], layout, depth + 1);
    }
    append_line(out, layout, depth);
    buf_append_text(out, is_mapping ? "}" : "]");
}

void splice_append_json(struct buf *out, const struct yaml_node *value, const char *unit)
{
    const struct layout layout = {"\n", {"", 0}, {unit, strlen(unit)}};

    append_flow(out, value, &layout, 0);
}

/* How much deeper the line of `inner` is indented than that of `outer`; two blanks if it is not. */
static struct part unit_of(const struct buf *text, size_t outer, size_t inner)
{
    const struct part indent = indent_of(text, outer);
    const struct part deeper = indent_of(text, inner);

    if (deeper.length <= indent.length || memcmp(deeper.bytes, indent.bytes, indent.length) != 0)
        return (struct part){"  ", 2};
    return (struct part){deeper.bytes + indent.length, deeper.length - indent.length};
}

/* -- changes -- */

static void append_from(struct buf *out, const struct buf *text, size_t begin, size_t end)
{
    buf_append(out, buf_text(text) + begin, end - begin);
}

/* After the line of a block value's last byte and the comments below that are indented at least so
 * deep. */
static size_t end_of_block(const struct buf *text, size_t at, size_t min_indent)
{
    /* What is written literally, after a |, ends where a line begins. */
    size_t end = is_line_start(text, at) ? at : next_line(text, at);

    for (size_t line = end; line < text->length; line = next_line(text, line)) {
        const struct part indent = indent_of(text, line);

        if (indent.bytes[indent.length] == '#' && indent.length >= min_indent)
            end = next_line(text, line);
        else if (end_of_line(text, line) > line + indent.length)
            break;
    }
    return end;
}

static void append_to_block(struct buf *out, const struct buf *text,
                            const struct yaml_node *collection, const struct yaml_node *children,
                            size_t count)
{
    const bool is_mapping = collection->kind == YAML_MAPPING;
    const size_t column = collection->column;
    const size_t min_indent = column + !is_mapping;
    const size_t at = end_of_block(text, collection->end, min_indent);
    const bool is_open = !is_line_start(text, at); /* the file's last line, without a line break */
    /* Where a file has several, another one could become one with that which follows. */
    const char *line_break = is_open ? usual_break(text) : break_before(text, at);

    append_from(out, text, 0, at);
    buf_append_text(out, is_open ? line_break : "");
    append_spaces(out, column);
    append_block(out, is_mapping, children, count, line_break, column);
    buf_append_text(out, is_open ? "" : line_break);
    append_from(out, text, at, text->length);
}

/* How the last child of a collection in brackets is written, which `last` begins. */
static struct layout layout_of(const struct buf *text, const struct yaml_node *collection,
                               const struct yaml_node *last)
{
    const bool is_mapping = collection->kind == YAML_MAPPING;
    const struct yaml_node *outer = is_mapping ? collection : last;
    const struct yaml_node *inner = is_mapping || last->count == 0 ? last : last->children;
    const bool has_lines = is_mapping ? begins_line(text, last->begin) : has_break(text, last);

    return (struct layout){has_lines ? usual_break(text) : "", indent_of(text, last->begin),
                           unit_of(text, outer->begin, inner->begin)};
}

static void append_to_flow(struct buf *out, const struct buf *text,
                           const struct yaml_node *collection, const struct yaml_node *children,
                           size_t count)
{
    const size_t step = collection->kind == YAML_MAPPING ? 2 : 1;
    const bool is_empty = collection->count == 0;
    const struct yaml_node *last =
        is_empty ? collection : &collection->children[collection->count - step];
    const size_t at = is_empty ? collection->end - 1 : last[step - 1].end;
    const bool has_own_line = !is_empty && begins_line(text, last->begin);
    struct layout layout = {.line_break = ""};
    struct layout lines;

    if (!is_empty)
        layout = layout_of(text, collection, last);
    lines = (struct layout){usual_break(text), layout.indent, layout.unit};
    append_from(out, text, 0, at);
    for (size_t i = 0; i < count; i += step) {
        buf_append_text(out, is_empty && i == 0 ? "" : has_own_line ? "," : ", ");
        if (has_own_line)
            append_line(out, &lines, 0);
        if (step == 2)
            buf_append_format(out, "\"%s\": ", children[i].text);
        append_flow(out, &children[i + step - 1], &layout, 0);
    }
    append_from(out, text, at, text->length);
}

void splice_append(struct buf *out, const struct buf *text, const struct yaml_node *collection,
                   const struct yaml_node *children, size_t count)
{
    if (collection->is_flow)
        append_to_flow(out, text, collection, children, count);
    else
        append_to_block(out, text, collection, children, count);
}

void splice_replace(struct buf *out, const struct buf *text, const struct yaml_node *old,
                    const struct yaml_node *value)
{
    const bool has_children = old->count > 0;
    const struct layout layout = {
        has_children && has_break(text, old) ? usual_break(text) : "", indent_of(text, old->begin),
        unit_of(text, old->begin, has_children ? old->children[0].begin : old->begin)};

    append_from(out, text, 0, old->begin);
    /* Nothing, which is null, may stand right behind its colon. */
    buf_append_text(out, old->begin == old->end ? " " : "");
    if (old->kind == YAML_SCALAR || old->is_flow)
        append_flow(out, value, &layout, 0);
    else
        append_block(out, value->kind == YAML_MAPPING, value->children, value->count,
                     usual_break(text), old->column);
    append_from(out, text, old->end, text->length);
}

/* Finds the line of the dash before an element of a block sequence, with nothing else before it. */
static bool find_dash(size_t *line, const struct buf *text, const struct yaml_node *sequence,
                      size_t index)
{
    const size_t column = sequence->column;
    const size_t after = index == 0 ? sequence->begin : sequence->children[index - 1].end;

    *line =
        index == 0 || is_line_start(text, after) ? line_of(text, after) : next_line(text, after);
    for (; *line < sequence->children[index].begin; *line = next_line(text, *line)) {
        const char *bytes = buf_text(text) + *line;

        if (strspn(bytes, " ") == column && bytes[column] == '-')
            return true;
    }
    return false;
}

static bool remove_from_block(struct buf *out, const struct buf *text,
                              const struct yaml_node *sequence, size_t index)
{
    const size_t end = end_of_block(text, sequence->children[index].end, sequence->column + 1);
    size_t begin;

    if (!find_dash(&begin, text, sequence, index))
        return false;
    /* The last line of the file stays without a line break. */
    append_from(out, text, 0,
                is_line_start(text, end) ? begin : begin - strlen(break_before(text, begin)));
    append_from(out, text, end, text->length);
    return true;
}

static bool remove_from_flow(struct buf *out, const struct buf *text,
                             const struct yaml_node *sequence, size_t index)
{
    const struct yaml_node *node = &sequence->children[index];
    const size_t begin = index == 0 ? node->begin : node[-1].end;
    const size_t end = index == 0 ? node[1].begin : node->end;
    const size_t other_begin = index == 0 ? node->end : begin;
    const size_t other_end = index == 0 ? end : node->begin;

    if (memchr(buf_text(text) + other_begin, '#', other_end - other_begin) != NULL)
        return false;
    append_from(out, text, 0, begin);
    append_from(out, text, end, text->length);
    return true;
}

bool splice_remove(struct buf *out, const struct buf *text, const struct yaml_node *sequence,
                   size_t index)
{
    return sequence->is_flow ? remove_from_flow(out, text, sequence, index)
                             : remove_from_block(out, text, sequence, index);
}
