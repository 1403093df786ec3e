//! Training, quantisation, export and device runs.
