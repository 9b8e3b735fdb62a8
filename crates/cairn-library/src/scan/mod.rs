//! From a folder to files, groups of one shot, readings and predictions.
