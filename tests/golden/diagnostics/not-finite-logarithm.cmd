nnc train not-finite-logarithm.nn --quiet --no-shuffle --trap-nan
