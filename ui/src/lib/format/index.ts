export { NONE, bytes, count, counted, percent, shareTexts, wholeShares, type Shares } from './number';
export { age, ago, axisDay, day, duration, exact, moment, openFor, running, took, type Zone } from './time';
export { cutMiddle, featureName, listed } from './text';
