/* The extension `lighterman.protocol.crypto._native`: hash, verification and signing for Python.
 *
 * The law of this file: the limited interface of CPython 3.11 alone, so that one build serves all
 * later versions; no clock, no randomness and no I/O of its own (entropy is a callable that is
 * handed in); a secret lives in pages that are neither dumped nor, where the system allows,
 * swapped, and is overwritten when it has served. What may be called when, and by whom, is told
 * in _native.pyi and decided by signing/native.py.
 *
 * Everything runs under the interpreter's lock, apart from the curve work of `prepare`, which
 * touches nothing but its own stack and the generator's finished table.
 */
#include <Python.h>

#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include "schnorr.h"

#define POOL_MAX 64     /* prepared pairs of a key */
#define REMEMBERED 1024 /* r of the numbers drawn last: one that comes again means broken entropy */
#define DRAWS_MAX 100   /* a draw is rejected once in 8e8 times */

/* ---- tables ---------------------------------------------------------------------------------- */

static int build_table(comb_table *table, const point *base) {
    comb_scratch *scratch = PyMem_Malloc(sizeof *scratch);
    if (scratch == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    comb_build(table, scratch, base);
    PyMem_Free(scratch);
    return 0;
}

/* The generator's table, built when it is first asked for (a third of a millisecond), under the interpreter's lock. */
static const comb_table *generator_table(void) {
    static comb_table table;
    static int is_ready;
    if (!is_ready) {
        const gf5 encoded = {{4}};
        point generator;
        if (!point_decode_public(&generator, encoded) || build_table(&table, &generator) < 0) {
            return NULL;
        }
        is_ready = 1;
    }
    return &table;
}

/* ---- reading arguments ----------------------------------------------------------------------- */

static int check_count(const char *function, Py_ssize_t given, Py_ssize_t wanted) {
    if (given != wanted) {
        PyErr_Format(PyExc_TypeError, "%s takes %zd arguments, not %zd", function, wanted, given);
        return -1;
    }
    return 0;
}

/* Read the one argument of a type, bytes. "y*" and no "#": what a "#" stands for differs between the versions of
 * CPython that are compiled with and run under. Returns the length, or -1; no more than `room` bytes are copied. */
static Py_ssize_t read_bytes(
    uint8_t *bytes, Py_ssize_t room, PyObject *positional, PyObject *named, const char *format, char **names) {
    Py_buffer view;
    if (!PyArg_ParseTupleAndKeywords(positional, named, format, names, &view)) {
        return -1;
    }
    Py_ssize_t length = view.len;
    memcpy(bytes, view.buf, (size_t)(length < room ? length : room));
    PyBuffer_Release(&view);
    return length;
}

/* Read an integer as the venue does: modulo 2^64 first, so that -1 is 2^64 - 1. */
static int read_word(u64 *word, PyObject *value) {
    if (!PyLong_Check(value)) { /* no foreign code may run while a list is read */
        PyErr_SetString(PyExc_TypeError, "integers expected");
        return -1;
    }
    *word = PyLong_AsUnsignedLongLongMask(value);
    return *word == (u64)-1 && PyErr_Occurred() ? -1 : 0;
}

/* Read a message: five elements. */
static int read_message(u64 message[MESSAGE_WORDS], PyObject *values) {
    PyObject *items = PySequence_Tuple(values);
    if (items == NULL) {
        return -1;
    }
    int failed = PyTuple_Size(items) != MESSAGE_WORDS;
    if (failed) {
        PyErr_SetString(PyExc_ValueError, "a message is five elements");
    }
    for (Py_ssize_t i = 0; !failed && i < MESSAGE_WORDS; i++) {
        failed = read_word(message + i, PyTuple_GetItem(items, i)) < 0;
    }
    Py_DECREF(items);
    return failed ? -1 : 0;
}

/* ---- hash ------------------------------------------------------------------------------------ */

static PyObject *list_of_words(const u64 *words, Py_ssize_t count) {
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
        PyObject *item = PyLong_FromUnsignedLongLong(words[i]);
        if (item == NULL || PyList_SetItem(list, i, item) < 0) {
            Py_CLEAR(list);
        }
    }
    return list;
}

static PyObject *hash_integers(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t given) {
    if (check_count("hash_integers", given, 2) < 0) {
        return NULL;
    }
    long count = PyLong_AsLong(arguments[1]);
    if (count < 1 || count > RATE) {
        if (!PyErr_Occurred()) {
            PyErr_SetString(PyExc_ValueError, "a hash has 1 to 8 elements");
        }
        return NULL;
    }
    PyObject *items = PySequence_Tuple(arguments[0]);
    if (items == NULL) {
        return NULL;
    }
    Py_ssize_t length = PyTuple_Size(items);
    PyObject *result = NULL;
    u64 *words = PyMem_Calloc((size_t)length + 1, sizeof *words), hash[RATE];
    if (words == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < length; i++) {
        if (read_word(words + i, PyTuple_GetItem(items, i)) < 0) {
            goto done;
        }
    }
    sponge(hash, (int)count, words, (size_t)length);
    result = list_of_words(hash, count);
done:
    PyMem_Free(words);
    Py_DECREF(items);
    return result;
}

/* ---- VerifyingKey ------------------------------------------------------------------------------ */

typedef struct {
    PyObject_HEAD
    uint8_t public_key[ELEMENT_BYTES];
    point base;
    comb_table *table; /* from the first verification on */
} VerifyingKey;

static void *allocate(PyTypeObject *type) {
    allocfunc make = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    return make(type, 0);
}

static void release(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    freefunc discard = (freefunc)PyType_GetSlot(type, Py_tp_free);
    discard(self);
    Py_DECREF(type);
}

static PyObject *verifying_key_new(PyTypeObject *type, PyObject *positional, PyObject *named) {
    static char *names[] = {"public_key", NULL};
    uint8_t bytes[ELEMENT_BYTES];
    gf5 encoded;
    point base;
    Py_ssize_t length = read_bytes(bytes, ELEMENT_BYTES, positional, named, "y*:VerifyingKey", names);
    if (length < 0) {
        return NULL;
    }
    if (length != ELEMENT_BYTES || !gf5_load_public(&encoded, bytes)) {
        PyErr_SetString(PyExc_ValueError, "not a field element: 5 little-endian words below p expected");
        return NULL;
    }
    if (gf5_is_zero_public(encoded)) {
        PyErr_SetString(PyExc_ValueError, "the neutral element is no public key: anyone could sign for it");
        return NULL;
    }
    if (!point_decode_public(&base, encoded)) {
        PyErr_SetString(PyExc_ValueError, "not a group element");
        return NULL;
    }
    VerifyingKey *self = allocate(type);
    if (self != NULL) {
        memcpy(self->public_key, bytes, ELEMENT_BYTES);
        self->base = base;
        self->table = NULL;
    }
    return (PyObject *)self;
}

static void verifying_key_dealloc(PyObject *object) {
    PyMem_Free(((VerifyingKey *)object)->table);
    release(object);
}

static PyObject *verifying_key_public_key(PyObject *object, void *Py_UNUSED(closure)) {
    return PyBytes_FromStringAndSize((const char *)((VerifyingKey *)object)->public_key, ELEMENT_BYTES);
}

static PyObject *verifying_key_repr(PyObject *object) {
    char digits[2 * ELEMENT_BYTES + 1];
    for (int i = 0; i < ELEMENT_BYTES; i++) {
        PyOS_snprintf(digits + 2 * i, 3, "%02x", ((VerifyingKey *)object)->public_key[i]);
    }
    return PyUnicode_FromFormat("<VerifyingKey %s>", digits);
}

static int verifying_key_table(VerifyingKey *self) {
    if (self->table != NULL) {
        return 0;
    }
    comb_table *table = PyMem_Malloc(sizeof *table);
    if (table == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (build_table(table, &self->base) < 0) {
        PyMem_Free(table);
        return -1;
    }
    self->table = table;
    return 0;
}

static PyObject *verifying_key_verify(PyObject *object, PyObject *const *arguments, Py_ssize_t given) {
    VerifyingKey *self = (VerifyingKey *)object;
    u64 message[MESSAGE_WORDS];
    char *signature;
    Py_ssize_t length;
    if (check_count("verify", given, 2) < 0 || read_message(message, arguments[0]) < 0 ||
        PyBytes_AsStringAndSize(arguments[1], &signature, &length) < 0) {
        return NULL;
    }
    if (length != SIGNATURE_BYTES) {
        return PyBool_FromLong(0);
    }
    const comb_table *generator = generator_table();
    if (generator == NULL || verifying_key_table(self) < 0) {
        return NULL;
    }
    return PyBool_FromLong(is_valid(generator, self->table, message, (const uint8_t *)signature));
}

/* ---- SigningKey: the secret and its pool of prepared pairs -------------------------------------- */

typedef struct {
    pid_t owner; /* the process that made the pairs; a fork's child must not use them */
    int first, count;
    prepared_pair pairs[POOL_MAX]; /* a ring: the oldest pair is used first */
} pool;

typedef struct {
    PyObject_HEAD
    scalar *secret; /* times 2^320 mod n; begins the pages */
    pool *prepared; /* in the same mapping, a page further on */
    size_t bytes;
    u64 remembered[REMEMBERED];
    size_t drawn;
    uint8_t public_key[ELEMENT_BYTES];
} SigningKey;

/* Map pages for secrets: not in core dumps, not in swap where the limits allow it; a child gets an empty pool. */
static int map_secrets(SigningKey *self) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t bytes = page + (sizeof(pool) + page - 1) / page * page;
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    (void)mlock(pages, bytes);
#ifdef MADV_DONTDUMP
    (void)madvise(pages, bytes, MADV_DONTDUMP);
#endif
    self->secret = pages;
    self->prepared = (pool *)((uint8_t *)pages + page);
    self->bytes = bytes;
#ifdef MADV_WIPEONFORK
    (void)madvise(self->prepared, bytes - page, MADV_WIPEONFORK);
#endif
    return 0;
}

static void signing_key_dealloc(PyObject *object) {
    SigningKey *self = (SigningKey *)object;
    if (self->secret != NULL) {
        wipe(self->secret, self->bytes);
        munmap(self->secret, self->bytes);
    }
    release(object);
}

/* Return the pool, emptied if it was filled before a fork. */
static pool *own_pool(SigningKey *self) {
    pid_t process = getpid();
    if (self->prepared->owner != process) {
        wipe(self->prepared, sizeof *self->prepared);
        self->prepared->owner = process;
    }
    return self->prepared;
}

static int set_secret(SigningKey *self, const uint8_t *bytes) {
    const comb_table *generator = generator_table();
    scalar secret;
    gf5 encoded;
    if (generator == NULL) {
        return -1;
    }
    scalar_load(&secret, bytes);
    scalar_reduce(&secret); /* as the venue's own library reads a key (5.6) */
    if (scalar_is_zero(&secret)) {
        PyErr_SetString(PyExc_ValueError, "zero is no secret");
        return -1;
    }
    multiply_secret(&encoded, generator, &secret);
    gf5_store(self->public_key, encoded);
    scalar_montgomery(self->secret, &secret, &MONTGOMERY_SQUARE);
    wipe(&secret, sizeof secret);
    wipe_stack();
    return 0;
}

static PyObject *signing_key_new(PyTypeObject *type, PyObject *positional, PyObject *named) {
    static char *names[] = {"secret", NULL};
    uint8_t bytes[SCALAR_BYTES];
    SigningKey *self = NULL;
    Py_ssize_t length = read_bytes(bytes, SCALAR_BYTES, positional, named, "y*:SigningKey", names);
    if (length < 0) {
        return NULL;
    }
    if (length != SCALAR_BYTES) {
        PyErr_SetString(PyExc_ValueError, "a secret has 40 bytes");
    } else if ((self = allocate(type)) != NULL && (map_secrets(self) < 0 || set_secret(self, bytes) < 0)) {
        Py_CLEAR(self);
    }
    wipe(bytes, sizeof bytes);
    return (PyObject *)self;
}

/* Take 40 bytes from the entropy source; the object is overwritten when nobody else holds it. */
static int take_entropy(scalar *k, PyObject *entropy) {
    PyObject *bytes = PyObject_CallFunction(entropy, "i", SCALAR_BYTES);
    if (bytes == NULL) {
        return -1;
    }
    if (!PyBytes_Check(bytes) || PyBytes_Size(bytes) != SCALAR_BYTES) {
        Py_DECREF(bytes);
        PyErr_SetString(PyExc_TypeError, "the entropy source must return as many bytes as it is asked for");
        return -1;
    }
    scalar_load(k, (const uint8_t *)PyBytes_AsString(bytes));
    if (Py_REFCNT(bytes) == 1) {
        wipe(PyBytes_AsString(bytes), SCALAR_BYTES);
    }
    Py_DECREF(bytes);
    return 0;
}

/* Draw k uniform in [1, n): mask to 319 bits, reject, never reduce. */
static int draw(scalar *k, PyObject *entropy) {
    for (int i = 0; i < DRAWS_MAX; i++) {
        if (take_entropy(k, entropy) < 0) {
            return -1;
        }
        k->w[SCALAR_WORDS - 1] &= SCALAR_TOP_MASK;
        if (scalar_is_canonical(k) & (1 ^ scalar_is_zero(k))) {
            return 0;
        }
    }
    PyErr_SetString(PyExc_RuntimeError, "the entropy source is broken: it yields no number");
    return -1;
}

/* Fail when r was drawn before: its number would be used twice, which gives the secret away. */
static int remember(SigningKey *self, const gf5 *r) {
    u64 is_repeated = 0;
    for (int i = 0; i < REMEMBERED; i++) {
        is_repeated |= self->remembered[i] == r->c[0];
    }
    if (is_repeated) {
        PyErr_SetString(PyExc_RuntimeError, "the entropy source is broken: it repeats itself");
        return -1;
    }
    self->remembered[self->drawn++ % REMEMBERED] = r->c[0];
    return 0;
}

static PyObject *signing_key_prepare(PyObject *object, PyObject *entropy) {
    SigningKey *self = (SigningKey *)object;
    const comb_table *generator = generator_table();
    prepared_pair pair;
    int failed;
    if (generator == NULL) {
        return NULL;
    }
    if (own_pool(self)->count == POOL_MAX) {
        return PyBool_FromLong(0);
    }
    pid_t process = getpid();
    failed = draw(&pair.k, entropy) < 0;
    if (!failed) {
        Py_BEGIN_ALLOW_THREADS
        multiply_secret(&pair.r, generator, &pair.k);
        wipe_stack();
        Py_END_ALLOW_THREADS
        failed = remember(self, &pair.r) < 0;
    }
    pool *room = own_pool(self);
    int is_kept = !failed && room->count < POOL_MAX && process == getpid();
    if (is_kept) {
        room->pairs[(room->first + room->count++) % POOL_MAX] = pair;
    }
    wipe(&pair, sizeof pair);
    return failed ? NULL : PyBool_FromLong(is_kept);
}

static PyObject *signing_key_drop(PyObject *object, PyObject *Py_UNUSED(nothing)) {
    pool *room = own_pool((SigningKey *)object);
    room->first = room->count = 0;
    wipe(room->pairs, sizeof room->pairs);
    Py_RETURN_NONE;
}

/* Move the oldest prepared pair out of the pool, or make one. */
static int take_pair(SigningKey *self, prepared_pair *pair, PyObject *entropy) {
    pool *room = own_pool(self);
    if (room->count > 0) {
        prepared_pair *oldest = room->pairs + room->first;
        *pair = *oldest;
        wipe(oldest, sizeof *oldest);
        room->first = (room->first + 1) % POOL_MAX;
        room->count--;
        return 0;
    }
    const comb_table *generator = generator_table();
    if (generator == NULL || draw(&pair->k, entropy) < 0) {
        return -1;
    }
    multiply_secret(&pair->r, generator, &pair->k);
    wipe_stack();
    return remember(self, &pair->r);
}

static PyObject *sign_one(SigningKey *self, PyObject *values, PyObject *entropy) {
    u64 message[MESSAGE_WORDS];
    uint8_t signature[SIGNATURE_BYTES];
    prepared_pair pair;
    if (read_message(message, values) < 0) {
        return NULL;
    }
    if (take_pair(self, &pair, entropy) < 0) {
        wipe(&pair, sizeof pair);
        return NULL;
    }
    sign_with(signature, message, self->secret, &pair);
    wipe_stack();
    return PyBytes_FromStringAndSize((const char *)signature, sizeof signature);
}

static PyObject *signing_key_sign(PyObject *object, PyObject *const *arguments, Py_ssize_t given) {
    if (check_count("sign", given, 2) < 0) {
        return NULL;
    }
    PyObject *messages = PySequence_Tuple(arguments[0]);
    if (messages == NULL) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_Size(messages);
    PyObject *signatures = PyList_New(count);
    for (Py_ssize_t i = 0; signatures != NULL && i < count; i++) {
        PyObject *signature = sign_one((SigningKey *)object, PyTuple_GetItem(messages, i), arguments[1]);
        if (signature == NULL || PyList_SetItem(signatures, i, signature) < 0) {
            Py_CLEAR(signatures);
        }
    }
    Py_DECREF(messages);
    return signatures;
}

static PyObject *signing_key_public_key(PyObject *object, void *Py_UNUSED(closure)) {
    return PyBytes_FromStringAndSize((const char *)((SigningKey *)object)->public_key, ELEMENT_BYTES);
}

static PyObject *signing_key_prepared(PyObject *object, void *Py_UNUSED(closure)) {
    return PyLong_FromLong(own_pool((SigningKey *)object)->count);
}

static PyObject *signing_key_repr(PyObject *Py_UNUSED(object)) { return PyUnicode_FromString("<SigningKey>"); }

static PyObject *signing_key_reduce(PyObject *Py_UNUSED(object), PyObject *Py_UNUSED(arguments)) {
    PyErr_SetString(PyExc_TypeError, "a signing key is neither pickled nor copied");
    return NULL;
}

/* ---- what Python sees --------------------------------------------------------------------------- */

#define FAST(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef verifying_key_methods[] = {
    {"verify", FAST(verifying_key_verify), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef verifying_key_getters[] = {
    {"public_key", verifying_key_public_key, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot verifying_key_slots[] = {
    {Py_tp_new, verifying_key_new},         {Py_tp_dealloc, verifying_key_dealloc},
    {Py_tp_repr, verifying_key_repr},       {Py_tp_methods, verifying_key_methods},
    {Py_tp_getset, verifying_key_getters},  {0, NULL},
};
static PyType_Spec verifying_key_spec = {
    "lighterman.protocol.crypto._native.VerifyingKey", sizeof(VerifyingKey), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, verifying_key_slots};

static PyMethodDef signing_key_methods[] = {
    {"prepare", signing_key_prepare, METH_O, NULL},
    {"drop", signing_key_drop, METH_NOARGS, NULL},
    {"sign", FAST(signing_key_sign), METH_FASTCALL, NULL},
    {"__reduce__", signing_key_reduce, METH_VARARGS, NULL},
    {"__reduce_ex__", signing_key_reduce, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef signing_key_getters[] = {
    {"public_key", signing_key_public_key, NULL, NULL, NULL},
    {"prepared", signing_key_prepared, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot signing_key_slots[] = {
    {Py_tp_new, signing_key_new},        {Py_tp_dealloc, signing_key_dealloc},
    {Py_tp_repr, signing_key_repr},      {Py_tp_methods, signing_key_methods},
    {Py_tp_getset, signing_key_getters}, {0, NULL},
};
static PyType_Spec signing_key_spec = {
    "lighterman.protocol.crypto._native.SigningKey", sizeof(SigningKey), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, signing_key_slots};

static int add_type(PyObject *module, const char *name, PyType_Spec *spec) {
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    int failed = type == NULL || PyModule_AddObjectRef(module, name, type) < 0;
    Py_XDECREF(type);
    return failed ? -1 : 0;
}

static int execute(PyObject *module) {
    if (add_type(module, "VerifyingKey", &verifying_key_spec) < 0 ||
        add_type(module, "SigningKey", &signing_key_spec) < 0) {
        return -1;
    }
    return PyModule_AddIntConstant(module, "POOL_MAX", POOL_MAX);
}

static PyMethodDef functions[] = {
    {"hash_integers", FAST(hash_integers), METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};
static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0, NULL}};
static PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_native", .m_size = 0, .m_methods = functions, .m_slots = slots};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
