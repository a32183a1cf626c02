import {
  siArcgis,
  siAtlassian,
  siBasecamp,
  siBitbucket,
  siBox,
  siCisco,
  siClickup,
  siConfluence,
  siContentful,
  siCouchbase,
  siCrowdin,
  siDatabricks,
  siDatadog,
  siGithub,
  siGitlab,
  siGoogle,
  siGoogleanalytics,
  siGotomeeting,
  siGrammarly,
  siIntercom,
  siJira,
  siMiro,
  siMongodb,
  siMural,
  siOkta,
  siPagerduty,
  siSap,
  siSnowflake,
  siSparkpost,
  siWebex,
  siZendesk,
  siZoom,
} from 'simple-icons';

/**
 * The outline of an application's own mark, in a 24 by 24 box, from the marks that the package has: its own, or that of the product
 * family it belongs to. Every other application has a monogram. Only marks of applications in the catalog are bundled.
 */
export const brands: Record<string, string> = {
  arcgis: siArcgis.path,
  atlassian: siAtlassian.path,
  basecamp: siBasecamp.path,
  bitbucket: siBitbucket.path,
  box: siBox.path,
  'cisco-meraki': siCisco.path,
  clickup: siClickup.path,
  confluence: siConfluence.path,
  contentful: siContentful.path,
  couchbase: siCouchbase.path,
  'crowdin-enterprise': siCrowdin.path,
  databricks: siDatabricks.path,
  datadog: siDatadog.path,
  'github-enterprise': siGithub.path,
  gitlab: siGitlab.path,
  'google-analytics': siGoogleanalytics.path,
  'google-workspace': siGoogle.path,
  'goto-meeting': siGotomeeting.path,
  grammarly: siGrammarly.path,
  intercom: siIntercom.path,
  jira: siJira.path,
  miro: siMiro.path,
  'mongodb-atlas': siMongodb.path,
  mural: siMural.path,
  okta: siOkta.path,
  pagerduty: siPagerduty.path,
  'sap-ariba': siSap.path,
  snowflake: siSnowflake.path,
  sparkpost: siSparkpost.path,
  webex: siWebex.path,
  zendesk: siZendesk.path,
  zoom: siZoom.path,
};

/** Two letters that stand for a name: "GitHub Enterprise" is "GE", "Kustomer" is "Ku". */
export function monogram(name: string): string {
  const words = name.split(/[\s.\-_/]+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const [first = '', second] = words;
  const letters = second === undefined ? Array.from(first).slice(0, 2) : [...first.slice(0, 1), ...second.slice(0, 1)];
  const [head = '?', tail = ''] = letters;
  return head.toUpperCase() + (second === undefined ? tail.toLowerCase() : tail.toUpperCase());
}

/** A hue in degrees that a word always has, spread over the circle. */
export function hue(word: string): number {
  let hash = 2166136261;
  for (const letter of word) {
    hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16777619);
  }
  return ((hash >>> 0) % 24) * 15;
}
