"""From a prediction to files and pictures, for every host alike."""
