"""Predicting in Python through ctypes: spirals.so and its weights, and no binding package. With NumPy the values travel as
its arrays, without it as ctypes arrays. Prints which arm the network sees at each place of the disc.

    nnc spirals.nn -o spirals.so && nnc train spirals.nn -o spirals.safetensors
    python3 predict.py ./spirals.so spirals.safetensors
"""

import ctypes
import sys

try:
    import numpy
except ImportError:
    numpy = None

ARMS = 3


class Spirals:
    """A model.so called `spirals`: the functions of spirals.h as methods, its errors as exceptions."""

    def __init__(self, library, weights):
        self.params = ctypes.c_void_p()
        self.session = ctypes.c_void_p()
        self.library = ctypes.CDLL(library)
        self.library.spirals_message.restype = ctypes.c_char_p
        for free in (self.library.spirals_params_free, self.library.spirals_session_free):
            free.restype = None
            free.argtypes = [ctypes.c_void_p]
        self.call("params_new", ctypes.c_uint64(1), ctypes.byref(self.params))
        self.call("params_load", self.params, weights.encode())
        self.call("session_new", self.params, ctypes.byref(self.session))

    def close(self):
        self.library.spirals_session_free(self.session)
        self.library.spirals_params_free(self.params)

    def call(self, name, *arguments):
        if getattr(self.library, "spirals_" + name)(*arguments):
            raise RuntimeError(self.library.spirals_message().decode())

    def predict(self, points):
        """The most likely arm of each (x, y)."""
        count = len(points)
        given, results = floats([value for point in points for value in point]), floats([0.0] * (count * ARMS))
        self.call("forward", self.session, ctypes.c_int64(count), pointer(given), None, ctypes.c_int(0))
        self.call("get", self.session, b"probability", pointer(results), ctypes.c_size_t(count * ARMS))
        if numpy:
            return results.reshape(count, ARMS).argmax(axis=1).tolist()
        rows = [results[i * ARMS:(i + 1) * ARMS] for i in range(count)]
        return [row.index(max(row)) for row in rows]


def floats(values):
    """Contiguous f32, as the model takes and gives them."""
    return numpy.array(values, numpy.float32) if numpy else (ctypes.c_float * len(values))(*values)


def pointer(values):
    return ctypes.c_void_p(values.ctypes.data) if numpy else values


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: predict.py LIBRARY WEIGHTS")
    model = Spirals(sys.argv[1], sys.argv[2])
    columns, rows = 48, 24
    points = [(2 * (x + 0.5) / columns - 1, 1 - 2 * (y + 0.5) / rows) for y in range(rows) for x in range(columns)]
    arms = model.predict(points)
    model.close()
    marks = [".o#"[arm] if x * x + y * y < 1 else " " for (x, y), arm in zip(points, arms)]
    for y in range(rows):
        print("".join(marks[y * columns:(y + 1) * columns]).rstrip())


if __name__ == "__main__":
    main()
